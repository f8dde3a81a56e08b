import { SigningKey } from "../lib/crypto/signing-key.ts";
import { readBootId } from "../lib/folder/boot-id.ts";
import type { FilePath } from "../lib/folder/file-path.ts";
import { placesUpTo } from "../lib/folder/folder-place.ts";
import type { Random } from "../lib/random.ts";
import type { Credential, HelloDraft } from "../member/credential.ts";
import { labelsOf } from "../member/labels.ts";
import { MEMBER_DEFAULTS } from "../member/member-defaults.ts";
import { PLACE_NAMES_MAX, PROTOCOL_VERSION } from "../protocol/limits.ts";
import { directoryName } from "./directory-name.ts";
import { readIdentityFile, sourceIdentity } from "./identity.ts";

/** What says which source this is. */
interface SourceIdentityOptions {
  readonly session?: string;
  readonly name?: string;
  readonly stateDir: FilePath;
  readonly identityFile?: FilePath;
  readonly token?: string;
  /** Whether the coordinator may not read names. */
  readonly hidesNames: boolean;
}

/** How a source introduces itself, and by what it is let in. */
export interface SourceIntroduction {
  readonly hello: HelloDraft;
  readonly credential: Credential;
}

/** `root` is the canonical path of its directory, under which its identity is kept. */
export function introduceSource(options: SourceIdentityOptions, root: Buffer, random: Random): SourceIntroduction {
  const { name, session, stateDir, identityFile, token, hidesNames } = options;
  const identity =
    identityFile === undefined ? sourceIdentity(stateDir, root, random) : readIdentityFile(identityFile, random);
  const hello = {
    type: "hello" as const,
    version: PROTOCOL_VERSION,
    role: "source" as const,
    session: session ?? MEMBER_DEFAULTS.session,
    ...labelsOf({ name, folder: hidesNames ? "" : root.toString("utf8") }),
    place: placesUpTo(root, readBootId()).slice(0, PLACE_NAMES_MAX),
    ...(hidesNames ? {} : { directory: directoryName(root) }),
  };
  return { hello, credential: { key: new SigningKey(identity.seed), token, former: identity.former } };
}
