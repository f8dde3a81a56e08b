import type { CoordinatorAddress } from "../../member/address.ts";
import { loginViewSchema } from "../../protocol/access/operator-api.ts";
import type { Token } from "../../protocol/access/token.ts";
import { API_PATHS } from "../../protocol/coordinator-port.ts";
import { shownTime } from "../../words/paste-line.ts";
import { callApi } from "../operator/api-client.ts";
import type { DoctorFinding, Look } from "./finding.ts";

interface AskedToken {
  readonly place: CoordinatorAddress;
  readonly token: Token;
  readonly text: string;
}

/** Asks the coordinator whether it takes a token, and how long. Nobody is let in by that, so no use of it is spent. */
export async function askedToken(look: Look, { place, token, text }: AskedToken): Promise<DoctorFinding> {
  const what = tokenWords(token);
  if (place.trust === undefined)
    return look.skipped(`the coordinator serves without TLS, so ${what} is not sent to it`);
  try {
    const answer = await callApi({ address: place, token: text }, { method: "GET", path: API_PATHS.login });
    const { expires } = loginViewSchema.parse(answer);
    const until = expires === undefined ? "does not expire" : `expires on ${shownTime(expires)}`;
    return look.ok(`the coordinator takes ${what}, which ${until}`);
  } catch (thrown) {
    return look.failed(thrown);
  }
}

/** Nothing of it is secret. */
export function tokenWords({ role, id }: Token): string {
  return `the token ${id} for ${/^[ao]/.test(role) ? "an" : "a"} ${role}`;
}
