/** The cases on express 4. */
import { describeConformance } from "./conformance.js";

describeConformance(4);
