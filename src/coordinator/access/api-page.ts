import type { PortRequest } from "../port/port-request.ts";
import type { Answer } from "../port/routes.ts";
import type { Right } from "./gatekeeper.ts";

/** A request that was granted. */
export interface Visit {
  readonly request: PortRequest;
  /** What follows the path of a collection: an id. */
  readonly name: string;
  /** The id before it, where the path names something in something: of a session, say. */
  readonly within: string;
  /** Whether it would be granted again now; for answers that take long. */
  isStillGranted(): boolean;
}

/** Something that the API answers and that is about neither tokens nor members. */
export interface ApiPage {
  /** What somebody has to be allowed for it. `read-unless-open`: nothing where everybody may take part in sessions. */
  readonly right: Right | "read-unless-open" | "nothing";
  answer(visit: Visit): Answer | Promise<Answer>;
}

/** By method and path. `/*` stands for a name: at the end or before the last part, and in the part but one before it. */
export type ApiPages = ReadonlyMap<string, ApiPage>;
