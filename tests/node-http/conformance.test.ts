/** Every case of the core's, over real sockets, however a handler writes its answer. */
import { describeWays } from "../servers/conformance.js";
import { http2Target, nodeHttpTarget } from "./target.js";

describeWays(nodeHttpTarget("send"), nodeHttpTarget("end"), nodeHttpTarget("pieces"));
describeWays(http2Target());
