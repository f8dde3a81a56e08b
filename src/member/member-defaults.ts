import { PORT_DEFAULT } from "../protocol/coordinator-port.ts";

/** What a source and a sink do unless they are told otherwise: for the commands and for the library. */
export const MEMBER_DEFAULTS = {
  coordinator: `localhost:${PORT_DEFAULT}`,
  session: "default",
} as const;
