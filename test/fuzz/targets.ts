import { DELTA_TARGETS } from "./delta-targets.ts";
import { ENGINE_TARGETS } from "./engine-targets.ts";
import type { FuzzTarget } from "./fuzzer.ts";
import { SEAL_TARGETS } from "./seal-targets.ts";
import { STATE_TARGETS } from "./state-targets.ts";
import { TEXT_TARGETS } from "./text-targets.ts";
import { WIRE_TARGETS } from "./wire-targets.ts";

/** Everything that takes bytes from a peer, a person or a disk. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  ...WIRE_TARGETS,
  ...SEAL_TARGETS,
  ...TEXT_TARGETS,
  ...STATE_TARGETS,
  ...DELTA_TARGETS,
  ...ENGINE_TARGETS,
];
