import { FanfoldError } from "../../lib/errors.ts";
import type { LoginView } from "../../protocol/access/operator-api.ts";
import type { AccessMode } from "../../protocol/messages/coordinator-events.ts";
import type { PortRequest } from "../port/port-request.ts";
import type { TokenRecord } from "./access-store.ts";
import type { Failed } from "./attempts.ts";
import type { Gatekeeper } from "./gatekeeper.ts";

interface LoginQuestion {
  readonly request: PortRequest;
  readonly gatekeeper: Gatekeeper;
  readonly refusal: (failure: FanfoldError, who: Failed, signal: AbortSignal) => Promise<FanfoldError>;
  readonly isOpen: boolean;
  readonly access: AccessMode;
}

/**
 * What a browser may do here. One that shows nothing learns only how people come in. So it is no failed try to open the
 * page. `shown`: the token of a request that had one.
 *
 * @throws FanfoldError why a cookie is not good any more, where one is needed
 */
export async function loginView(question: LoginQuestion, shown: TokenRecord | undefined): Promise<LoginView> {
  const { request, gatekeeper, refusal, isOpen, access } = question;
  if (shown !== undefined) return viewOf(access, shown);
  if (request.headers.cookie === undefined) return { access };
  try {
    return viewOf(access, gatekeeper.check(request, "read"));
  } catch (thrown) {
    const failure = FanfoldError.from(thrown);
    // A cookie of another program on this machine, or of the coordinator before this one.
    if (isOpen || failure.code === "token-missing") return { access };
    throw await refusal(failure, { address: request.address }, request.signal);
  }
}

/** What is told of a good token to whoever shows it. */
export function viewOf(access: AccessMode, { role, expires }: TokenRecord): LoginView {
  return { access, role, ...(expires === null ? {} : { expires }) };
}
