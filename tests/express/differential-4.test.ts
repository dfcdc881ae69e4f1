/** Express 4: the policy's route is the one whose handler runs. */
import { describeRoutes } from "./differential.js";

describeRoutes(4);
