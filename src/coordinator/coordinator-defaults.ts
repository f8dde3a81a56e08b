import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";

/** What a coordinator takes from its surroundings. */
export interface CoordinatorParts {
  /** Where time comes from. @default the clock of the system */
  readonly clock?: Clock;
  /** Where random values come from. @default those of the system */
  readonly random?: Random;
  /** Where it tells what only its developers need. @default nowhere */
  readonly logger?: Logger;
}

import { PORT_DEFAULT } from "../protocol/coordinator-port.ts";

/** What a coordinator does unless it is told otherwise: for the command and for the library. */
export const COORDINATOR_DEFAULTS = {
  host: "127.0.0.1",
  port: PORT_DEFAULT,
  broker: "embedded",
  keepSessions: 10_000,
} as const;
