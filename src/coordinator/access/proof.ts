import { isSigned } from "../../lib/crypto/signing-key.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { type HelloClaim, helloProof } from "../../protocol/access/hello-proof.ts";
import type { Hello } from "../../protocol/messages/control.ts";

/** @throws FanfoldError `proof-refused` unless the owner of the key said this `hello`, here and now [P-1.4] */
export function checkProof(hello: Hello, { nonce, pin }: Pick<HelloClaim, "nonce" | "pin">): void {
  const { key: publicKey, signature, role, session } = hello;
  const text = helloProof({ nonce, pin, role, session });
  if (isSigned({ publicKey, context: "fanfold hello 1", text, signature })) return;
  throw new FanfoldError(
    "proof-refused",
    `cannot let a ${role} into session "${session}": its signature is not for this connection; connect to the coordinator without anything in between that ends TLS`,
  );
}
