/** Express 4 under the name that the workspace gives it: what tests use of it is typed alike. */
declare module "express4" {
  export { default } from "express";
}
