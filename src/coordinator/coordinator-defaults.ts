import { PORT_DEFAULT } from "../protocol/coordinator-port.ts";

/** What a coordinator does unless it is told otherwise: for the command and for the library. */
export const COORDINATOR_DEFAULTS = {
  host: "127.0.0.1",
  port: PORT_DEFAULT,
  broker: "embedded",
} as const;
