import type { Socket } from "node:net";
import WebSocket from "ws";
import { abortError, throwIfAborted } from "../lib/async/abort.ts";
import { FanfoldError, isErrorCode, reasonOf } from "../lib/errors.ts";
import { BoundedQueue } from "../lib/memory/bounded-queue.ts";
import { formatHostPort } from "../lib/net/host-port.ts";
import { openSocket } from "../lib/tls/open-socket.ts";
import type { ServerPlace } from "../lib/tls/server-place.ts";
import { CODE_HEADER, PORT_PATHS } from "../protocol/coordinator-port.ts";
import { CONTROL_BYTES_MAX } from "../protocol/limits.ts";
import {
  type ClientMessage,
  type CoordinatorMessage,
  decodeCoordinatorMessage,
  encodeControl,
} from "../protocol/messages/control.ts";
import { withSafeText } from "../protocol/names/peer-text.ts";
import type { CoordinatorAddress } from "./address.ts";
import { watchQuiet } from "./quiet-watch.ts";
import { certificateWanted, connectionFailure, notACoordinator, serverAt } from "./server-at.ts";

/** One WebSocket to the coordinator [P-1.1]. */
export interface ControlLink {
  /** Of the coordinator's key, as this connection shows it; empty without TLS. */
  readonly pin: string;
  send(message: ClientMessage): void;
  /** What the coordinator says; ends when the link ends. Iterate it once. */
  readonly messages: AsyncIterable<CoordinatorMessage>;
  /** Resolves with why the link ended. Never rejects. */
  readonly closed: Promise<FanfoldError>;
  /** Sends what waits and closes. Idempotent. */
  close(): Promise<void>;
}

interface ControlLinkOptions {
  readonly answerWithinMs?: number;
  /** Told when the coordinator does not answer, though its connection stands, and when it answers again. */
  readonly onQuiet?: (isQuiet: boolean) => void;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** The coordinator pings every 5 s: silence for longer than this is a dead link. */
const SILENCE_MS_MAX = 20_000;
const CLOSE_TIMEOUT_MS = 1_000;
const MESSAGES_WAITING_MAX = 1_000;

/**
 * Opens the control channel.
 *
 * @throws FanfoldError `coordinator-unreachable` (worth another try), `not-a-coordinator` or `refused` (not worth it), and
 *   as `openSocket` does
 */
export async function openControlLink(
  address: CoordinatorAddress,
  signal: AbortSignal,
  options: ControlLinkOptions = {},
): Promise<ControlLink> {
  throwIfAborted(signal);
  const server = serverAt(address);
  const limit = new AbortController();
  const withinMs = Math.min(HANDSHAKE_TIMEOUT_MS, options.answerWithinMs ?? HANDSHAKE_TIMEOUT_MS);
  const timer = setTimeout(() => limit.abort(server.unreachable("no answer")), withinMs);
  try {
    const either = AbortSignal.any([signal, limit.signal]);
    const { socket, pin } = await openSocket(server, { signal: either });
    return await upgrade(socket, { server, pin, signal: either, onQuiet: options.onQuiet ?? (() => undefined) });
  } finally {
    clearTimeout(timer);
  }
}

interface UpgradeOptions {
  readonly server: ServerPlace;
  readonly pin: string;
  readonly signal: AbortSignal;
  readonly onQuiet: (isQuiet: boolean) => void;
}

/** Makes a WebSocket of a connection to the coordinator. */
function upgrade(connection: Socket, { server, pin, signal, onQuiet }: UpgradeOptions): Promise<ControlLink> {
  return new Promise((resolve, reject) => {
    const where = formatHostPort(server);
    // The connection is there already, with TLS where it has to be: this is HTTP on top of it.
    const socket = new WebSocket(`ws://${where}${PORT_PATHS.control}`, {
      createConnection: () => connection,
      maxPayload: CONTROL_BYTES_MAX,
      perMessageDeflate: false,
      followRedirects: false,
    });
    const link = watch(socket, { where, pin, onQuiet });
    function abort(): void {
      socket.terminate();
      reject(abortError(signal));
    }
    signal.addEventListener("abort", abort, { once: true });
    socket.once("open", () => {
      signal.removeEventListener("abort", abort);
      resolve(link);
    });
    socket.once("unexpected-response", (_request, response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body = (body + text).slice(0, 1_000);
      });
      response.on("end", () => {
        const code = response.headers[CODE_HEADER];
        reject(refusal(where, { status: response.statusCode ?? 0, body: body.trim(), code }));
        socket.terminate();
      });
    });
    socket.once("error", (cause) => {
      signal.removeEventListener("abort", abort);
      void connectionFailure(server, cause, signal).then(reject);
    });
  });
}

interface WatchedSocket extends Pick<UpgradeOptions, "pin" | "onQuiet"> {
  readonly where: string;
}

function watch(socket: WebSocket, { where, pin, onQuiet }: WatchedSocket): ControlLink {
  const queue = new BoundedQueue<CoordinatorMessage>({ limit: MESSAGES_WAITING_MAX, sizeOf: () => 1 });
  const closed = Promise.withResolvers<FanfoldError>();
  let failure: FanfoldError | undefined;
  const silence = setTimeout(
    () =>
      end(
        new FanfoldError(
          "coordinator-lost",
          `cannot listen to the coordinator at ${where}: silent for ${SILENCE_MS_MAX / 1000} s`,
        ),
      ),
    SILENCE_MS_MAX,
  );
  silence.unref();
  const quiet = watchQuiet(onQuiet);
  const heard = (): void => {
    silence.refresh();
    quiet.heard();
  };
  function end(error: FanfoldError): void {
    failure ??= error;
    socket.terminate();
  }
  socket.on("ping", heard);
  socket.on("message", (data, isBinary) => {
    heard();
    try {
      if (isBinary)
        throw new FanfoldError(
          "damaged",
          `cannot listen to the coordinator at ${where}: found binary data, expected JSON text`,
        );
      if (!queue.push(withSafeText(decodeCoordinatorMessage(String(data)))))
        throw new FanfoldError("damaged", `cannot listen to the coordinator at ${where}: too many messages at once`);
    } catch (thrown) {
      end(FanfoldError.from(thrown));
    }
  });
  socket.on("error", (cause) => {
    const text = `cannot listen to the coordinator at ${where}: ${reasonOf(cause)}`;
    failure ??= new FanfoldError("coordinator-lost", text, { cause });
  });
  socket.on("close", (code, reason) => {
    clearTimeout(silence);
    quiet[Symbol.dispose]();
    queue.end();
    const why = reason.length > 0 ? reason.toString() : `connection closed (${code})`;
    closed.resolve(
      failure ?? new FanfoldError("coordinator-lost", `cannot listen to the coordinator at ${where}: ${why}`),
    );
  });
  return {
    pin,
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(encodeControl(message));
    },
    messages: queue,
    closed: closed.promise,
    async close() {
      const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
      socket.close(1000);
      await closed.promise;
      clearTimeout(timer);
    },
  };
}

interface HttpRefusal {
  readonly status: number;
  readonly body: string;
  readonly code: unknown;
}

function refusal(where: string, { status, body, code }: HttpRefusal): FanfoldError {
  const what = `cannot connect to the coordinator at ${where}`;
  if (code === "certificate-wanted") return certificateWanted(what);
  if (status === 403)
    return new FanfoldError(
      typeof code === "string" && isErrorCode(code) ? code : "refused",
      `${what}: ${body === "" ? "refused" : body}`,
    );
  if (status === 503) return new FanfoldError("coordinator-unreachable", `${what}: not ready yet`);
  return notACoordinator(where, `it answers with HTTP status ${status}`);
}
