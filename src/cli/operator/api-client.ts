import { request } from "node:http";
import type { Socket } from "node:net";
import { FanfoldError, isErrorCode, reasonOf } from "../../lib/errors.ts";
import { formatHostPort } from "../../lib/net/host-port.ts";
import { openSocket } from "../../lib/tls/open-socket.ts";
import type { ServerPlace } from "../../lib/tls/server-place.ts";
import type { CoordinatorAddress } from "../../member/address.ts";
import { certificateWanted, connectionFailure, serverAt } from "../../member/server-at.ts";
import { problemSchema } from "../../protocol/access/operator-api.ts";
import { CODE_HEADER } from "../../protocol/coordinator-port.ts";
import { withSafeText } from "../../protocol/names/peer-text.ts";

/** Lists of tokens and members are far smaller. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
const ANSWER_WITHIN_MS = 10_000;

export interface ApiCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE" | "PATCH";
  readonly path: string;
  readonly body?: unknown;
  /** Less than the usual time for the answer. */
  readonly withinMs?: number;
}

/**
 * Asks a coordinator for something; gives the decoded answer. The token is sent when the coordinator has proven who it is.
 *
 * @throws FanfoldError the coordinator's own code; `coordinator-unreachable`, `not-a-coordinator`, and as `openSocket` does
 */
export async function callApi(
  { address, token }: { readonly address: CoordinatorAddress; readonly token: string | undefined },
  call: ApiCall,
): Promise<unknown> {
  const server = serverAt(address);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(server.unreachable("no answer")), call.withinMs ?? ANSWER_WITHIN_MS);
  const { signal } = limit;
  try {
    const { socket } = await openSocket(server, { signal });
    return valueIn(server, await ask(socket, { server, token, call, signal }));
  } finally {
    clearTimeout(timer);
  }
}

interface PlacedCall {
  readonly server: ServerPlace;
  readonly token: string | undefined;
  readonly call: ApiCall;
  readonly signal: AbortSignal;
}

interface ApiAnswer {
  readonly status: number;
  readonly body: string;
  /** Of a refusal before HTTP, which is not for programs only. */
  readonly code: unknown;
}

async function ask(socket: Socket, { server, token, call, signal }: PlacedCall): Promise<ApiAnswer> {
  const { method, path } = call;
  const sent = call.body === undefined ? "" : JSON.stringify(call.body);
  const headers = {
    host: formatHostPort(server),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    "content-length": Buffer.byteLength(sent),
    ...(sent === "" ? {} : { "content-type": "application/json" }),
  };
  // The connection is there already, with TLS where it has to be: this is HTTP on top of it.
  const asked = request({ method, path, headers, createConnection: () => socket, signal });
  try {
    return await new Promise<ApiAnswer>((resolve, reject) => {
      asked.once("error", reject);
      asked.once("response", (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.once("error", reject);
        response.on("data", (text: string) => {
          body += text;
          if (body.length > ANSWER_BYTES_MAX) response.destroy(new Error("the answer is too long"));
        });
        response.once("end", () =>
          resolve({ status: response.statusCode ?? 0, body, code: response.headers[CODE_HEADER] }),
        );
      });
      asked.end(sent);
    });
  } catch (cause) {
    if (signal.aborted) throw FanfoldError.from(signal.reason);
    const error = cause instanceof Error ? cause : new Error(reasonOf(cause));
    throw await connectionFailure(server, error, signal);
  } finally {
    socket.destroy();
  }
}

function valueIn(server: ServerPlace, { status, body, code }: ApiAnswer): unknown {
  let value: unknown;
  try {
    value = withSafeText(JSON.parse(body));
  } catch {
    value = undefined;
  }
  if (status >= 200 && status < 300 && value !== undefined) return value;
  const problem = problemSchema.safeParse(value);
  if (problem.success) {
    const { code: name, detail } = problem.data;
    throw new FanfoldError(isErrorCode(name) ? name : "refused", detail);
  }
  if (code === "certificate-wanted") throw certificateWanted(server.what);
  const text = `${server.what}: it answers with HTTP status ${status}, and not as a coordinator does; check the address and the port`;
  throw new FanfoldError("not-a-coordinator", text);
}
