import { FanfoldError } from "../../lib/errors.ts";
import { isLoopbackHost } from "../../lib/net/host-port.ts";
import type { AccessMode } from "../../protocol/messages/coordinator-events.ts";

interface AccessOptions {
  /** The value of `--host`. */
  readonly host: string;
  readonly requireToken?: boolean | undefined;
  readonly insecureOpen?: boolean | undefined;
}

/**
 * Who may come in. Inside one machine everybody. From elsewhere only who has a token, over TLS, unless a person says that
 * it is to be open.
 *
 * @throws FanfoldError `usage`
 */
export function accessModeOf({ host, requireToken = false, insecureOpen = false }: AccessOptions): AccessMode {
  if (requireToken && insecureOpen) {
    throw new FanfoldError(
      "usage",
      "cannot use --require-token together with --insecure-open: one asks for tokens, the other for none; leave one of them out",
    );
  }
  if (insecureOpen) return "insecure-open";
  return requireToken || !isLoopbackHost(host) ? "guarded" : "open";
}
