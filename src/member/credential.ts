import type { SigningKey } from "../lib/crypto/signing-key.ts";
import { packageVersion } from "../lib/package-version.ts";
import { type HelloClaim, helloProof } from "../protocol/access/hello-proof.ts";
import type { Hello } from "../protocol/messages/control.ts";

/** By what a member is let in. */
export interface Credential {
  /** Its identity: the public part of it. */
  readonly key: SigningKey;
  /** Admits it where it is not known yet. */
  readonly token?: string | undefined;
  /** A source's secret of version 0.1: 64 hex digits. */
  readonly former?: string | undefined;
}

/** A `hello` without what proves who says it. */
export type HelloDraft = Omit<Hello, "key" | "signature" | "token" | "former" | "timeMs" | "software">;

type SigningMoment = Pick<HelloClaim, "nonce" | "pin"> & Pick<Hello, "timeMs">;

export function signedHello(draft: HelloDraft, credential: Credential, { nonce, pin, timeMs }: SigningMoment): Hello {
  const { key, token, former } = credential;
  const { role, session } = draft;
  return {
    ...draft,
    key: key.publicKey,
    signature: key.sign("fanfold hello 1", helloProof({ nonce, pin, role, session })),
    timeMs,
    software: `fanfold ${packageVersion()}`,
    ...(token === undefined ? {} : { token }),
    ...(former === undefined ? {} : { former }),
  };
}
