import type { Runtime } from "../../lib/runtime.ts";
import type { SourceEvent } from "../../protocol/messages/events.ts";
import type { SessionSubjects } from "../../protocol/subjects.ts";
import type { Transport } from "../../transport/transport.ts";
import type { SessionSeal } from "./session-seal.ts";

/** How a session runs, and where it tells of that. */
export interface SourceRuntime extends Runtime {
  readonly emit: (event: SourceEvent) => void;
}

/** Where a session is published. */
export interface SourceWire {
  readonly transport: Transport;
  readonly subjects: SessionSubjects;
  /** @default all goes in the open */
  readonly seal?: SessionSeal | undefined;
}
