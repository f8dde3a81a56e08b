import type { X509Certificate } from "node:crypto";
import { request } from "node:http";
import type { Socket } from "node:net";
import { z } from "zod";
import type { FanfoldError } from "../../lib/errors.ts";
import { formatHostPort } from "../../lib/net/host-port.ts";
import type { ServerPlace } from "../../lib/tls/server-place.ts";
import { connectionFailure, notACoordinator } from "../../member/server-at.ts";
import { PORT_PATHS } from "../../protocol/coordinator-port.ts";
import { PROTOCOL_VERSION } from "../../protocol/limits.ts";
import { withSafeText } from "../../protocol/names/peer-text.ts";
import { type DoctorFinding, Look } from "./finding.ts";

/** An answer to the question for the health has some hundred bytes. */
const ANSWER_CHARS_MAX = 8192;

/** Beyond this, logs of two machines cannot be laid side by side. */
const CLOCK_WARNING_MS = 5_000;
/** Beyond this, tokens and credentials look as if they were over, or not good yet. */
const CLOCK_ERROR_MS = 5 * 60_000;
const EXPIRY_WARNING_MS = 14 * 86_400_000;

/** What a coordinator says of itself to everybody. */
interface Health {
  readonly version: number;
  /** Why nobody can join; undefined while members can. */
  readonly trouble: string | undefined;
  /** How far the clock of this machine is ahead of the coordinator's, in milliseconds. Undefined where it does not say. */
  readonly aheadMs: number | undefined;
}

const healthSchema = z.object({
  status: z.enum(["ok", "unavailable"]),
  reason: z.string().max(2000).optional(),
  version: z.int().nonnegative(),
});

interface Asking {
  readonly server: ServerPlace;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** Asks over a connection that stands, and ends it. */
export async function askHealth(socket: Socket, { server, now, signal }: Asking): Promise<Health | FanfoldError> {
  const askedMs = now().getTime();
  try {
    const { body, date } = await get(socket, server, signal);
    const meanMs = (askedMs + now().getTime()) / 2;
    const read = healthSchema.safeParse(withSafeText(JSON.parse(body)));
    if (!read.success) throw new SyntaxError("not a health");
    const { version, status, reason = "it does not say why" } = read.data;
    // The header has whole seconds: the time was up to one later.
    const aheadMs = Number.isNaN(date) ? undefined : meanMs - (date + 500);
    return { version, trouble: status === "ok" ? undefined : reason, aheadMs };
  } catch (thrown) {
    if (thrown instanceof SyntaxError)
      return notACoordinator(formatHostPort(server), "it does not say how it is as a coordinator does");
    if (signal.aborted) return server.unreachable("no answer");
    return await connectionFailure(server, thrown instanceof Error ? thrown : new Error(String(thrown)), signal);
  } finally {
    socket.destroy();
  }
}

function get(socket: Socket, server: ServerPlace, signal: AbortSignal) {
  const headers = { host: formatHostPort(server) };
  // The connection is there already, with TLS where it has to be: this is HTTP on top of it.
  const asked = request({ path: PORT_PATHS.health, headers, createConnection: () => socket, signal });
  return new Promise<{ readonly body: string; readonly date: number }>((resolve, reject) => {
    asked.once("error", reject);
    asked.once("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.once("error", reject);
      response.on("data", (text: string) => {
        body = (body + text).slice(0, ANSWER_CHARS_MAX);
      });
      response.once("end", () => resolve({ body, date: Date.parse(response.headers.date ?? "") }));
    });
    asked.end();
  });
}

export function healthFindings({ version, trouble }: Health): readonly DoctorFinding[] {
  const protocol = new Look("protocol", `protocol version ${PROTOCOL_VERSION}`);
  const [older, newer] =
    version < PROTOCOL_VERSION ? ["the coordinator", "this fanfold"] : ["this fanfold", "the coordinator"];
  const ready = new Look("coordinator", "members can join");
  const todo = "look at the log of the coordinator; run fanfold doctor --broker there";
  return [
    version === PROTOCOL_VERSION
      ? protocol.ok(`version ${version}`)
      : protocol.error(
          `version ${version}`,
          `${older} is older than ${newer}: install the same version on both machines`,
        ),
    trouble === undefined ? ready.ok("sources and sinks can join") : ready.error(`nobody can join: ${trouble}`, todo),
  ];
}

export function clockFinding({ aheadMs }: Health): DoctorFinding {
  const look = new Look("clock", `at most ${CLOCK_WARNING_MS / 1000} s beside the coordinator's`);
  if (aheadMs === undefined) return look.skipped("the coordinator does not tell its time");
  // The header is exact to half a second at best.
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const found = `${seconds} s ${aheadMs >= 0 ? "ahead of" : "behind"} the coordinator's`;
  if (Math.abs(aheadMs) <= CLOCK_WARNING_MS) return look.ok(found);
  const todo = "set the clock that is wrong: switch on the time service (NTP) on both machines";
  return Math.abs(aheadMs) > CLOCK_ERROR_MS ? look.error(found, todo) : look.warning(found, todo);
}

/** The certificate has been verified already. */
export function certificateFinding(
  certificate: X509Certificate | undefined,
  { pinned, now }: { readonly pinned: boolean; readonly now: Date },
): DoctorFinding {
  const look = new Look("certificate", "one that is known, and valid for two weeks more at least");
  if (certificate === undefined) return look.skipped("the coordinator serves without TLS");
  const by = pinned ? "it has the key that is expected" : "an authority vouches for it";
  const { validToDate } = certificate;
  const found = `${by}; it is valid until ${validToDate.toISOString().slice(0, 10)}`;
  if (validToDate.getTime() - now.getTime() > EXPIRY_WARNING_MS) return look.ok(found);
  const todo = "have it renewed: a coordinator that makes its own does so by itself when it is started again";
  return look.warning(found, todo);
}
