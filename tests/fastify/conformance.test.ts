/** Every case of the core's, over real sockets, however a fastify handler answers. */
import { describeWays } from "../servers/conformance.js";
import { fastifyTarget } from "./target.js";

describeWays(
  fastifyTarget("object"),
  fastifyTarget("returned"),
  fastifyTarget("string"),
  fastifyTarget("buffer"),
  fastifyTarget("stream"),
  fastifyTarget("raw"),
);
