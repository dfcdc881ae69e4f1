/** The cases on express 5. */
import { describeConformance } from "./conformance.js";

describeConformance(5);
