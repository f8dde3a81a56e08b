import { FanfoldError } from "../../../lib/errors.ts";
import { SESSION_ID_CHARS } from "../../../protocol/limits.ts";
import { atDesk, type DeskChoice, type GivenDesk } from "../../operator/at-desk.ts";
import type { Records } from "../../operator/operator-desk.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { columnsOf } from "../../process/terminal-size.ts";
import { forOutput } from "../../process/written-lines.ts";
import { sessionPage } from "../../view/records/session-page.ts";
import { tellStopped } from "./tell-stopped.ts";

/** As commander reads them. */
export interface SessionOptions extends GivenDesk {
  readonly session?: string;
}

/** Ids that are named where a beginning fits several. */
const CHOICES_SHOWN = 5;

/** `fanfold session ID` */
export function showSession(
  who: string,
  choice: DeskChoice & { readonly options: SessionOptions },
  io: ProgramIo,
): Promise<number> {
  const { json = false, session } = choice.options;
  return atDesk(choice, io, async ({ records, runs }) => {
    const detail = await records.session(await idOf(who, session, records));
    if (json) {
      io.stdout.write(`${JSON.stringify({ runs, ...detail })}\n`);
      return;
    }
    tellStopped(runs, io);
    for (const line of sessionPage(detail, { runs, columns: columnsOf(io.stdout) }))
      io.stdout.write(`${forOutput(line, io.stdout)}\n`);
  });
}

/** @throws FanfoldError `usage` */
async function idOf(who: string, session: string | undefined, records: Records): Promise<string> {
  if (who === "last") {
    const [latest] = (await records.history({ limit: 1, ...(session === undefined ? {} : { session }) })).sessions;
    if (latest !== undefined) return latest.sessionId;
    const ofName = session === undefined ? "" : ` of the name "${session}"`;
    throw new FanfoldError("usage", `cannot show the last session: there was none${ofName} yet`);
  }
  const shown = JSON.stringify(who.slice(0, 100));
  if (session !== undefined)
    throw new FanfoldError("usage", `cannot use --session with the id ${shown}: it goes with "last" only`);
  if (!new RegExp(`^[a-z0-9]{1,${SESSION_ID_CHARS}}$`).test(who))
    throw new FanfoldError(
      "usage",
      `cannot read the id ${shown}: want at most ${SESSION_ID_CHARS} digits and small letters, or "last"; fanfold sessions lists the ids`,
    );
  const { sessions } = await records.history({ id: who, limit: CHOICES_SHOWN });
  const [found, ...others] = sessions.map(({ sessionId }) => sessionId);
  if (found === undefined)
    throw new FanfoldError(
      "usage",
      `cannot find the session ${shown}: none with an id that begins so is in the history; fanfold sessions lists the ids`,
    );
  if (others.length === 0) return found;
  throw new FanfoldError(
    "usage",
    `cannot tell which session ${shown} is: the ids ${[found, ...others].join(", ")} begin so; give more of it`,
  );
}
