import { readBootId } from "../lib/folder/boot-id.ts";
import type { FilePath } from "../lib/folder/file-path.ts";
import { placesUpTo } from "../lib/folder/folder-place.ts";
import type { Random } from "../lib/random.ts";
import { labelsOf } from "../member/labels.ts";
import { MEMBER_DEFAULTS } from "../member/member-defaults.ts";
import { PLACE_NAMES_MAX, PROTOCOL_VERSION } from "../protocol/limits.ts";
import type { Hello } from "../protocol/messages/control.ts";
import { readIdentityFile, sourceSecret } from "./identity.ts";

/** What says which source this is. */
interface SourceIdentityOptions {
  readonly session?: string;
  readonly name?: string;
  readonly stateDir: FilePath;
  readonly identityFile?: FilePath;
}

/** How a source introduces itself. `root` is the canonical path of its directory, under which its identity is kept. */
export function sourceHello(options: SourceIdentityOptions, root: Buffer, random: Random): Hello {
  const { name, session, stateDir, identityFile } = options;
  return {
    type: "hello",
    version: PROTOCOL_VERSION,
    role: "source",
    session: session ?? MEMBER_DEFAULTS.session,
    ...labelsOf({ name, folder: root.toString("utf8") }),
    place: placesUpTo(root, readBootId()).slice(0, PLACE_NAMES_MAX),
    secret: identityFile === undefined ? sourceSecret(stateDir, root, random) : readIdentityFile(identityFile),
  };
}
