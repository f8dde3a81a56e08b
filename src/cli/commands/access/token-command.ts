import { FanfoldError } from "../../../lib/errors.ts";
import type { ShownToken, TokenView } from "../../../protocol/access/operator-api.ts";
import type { TokenRole } from "../../../protocol/access/token-role.ts";
import { pasteLine, STATE_WORDS, shownTime, tokenFacts } from "../../../words/paste-line.ts";
import { atDesk, type DeskChoice, type GivenDesk } from "../../operator/at-desk.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { forOutput } from "../../process/written-lines.ts";
import { tableLines } from "../../view/text/table.ts";

/** `fanfold token create`, as commander reads it. */
export interface TokenCreateOptions extends GivenDesk {
  readonly role: TokenRole;
  readonly session: string;
  readonly ttl?: number | "never";
  readonly uses?: number;
  readonly note?: string;
}

/** `fanfold token create` */
export function createToken(options: TokenCreateOptions, choice: DeskChoice, io: ProgramIo): Promise<number> {
  const { role, session, ttl, uses, note } = options;
  const order = {
    role,
    session,
    ...(ttl === undefined ? {} : { ttlMs: ttl === "never" ? null : ttl }),
    ...(uses === undefined ? {} : { uses }),
    ...(note === undefined ? {} : { note }),
  };
  return atDesk(choice, io, async (desk) => show([await desk.createToken(order)], options, io));
}

/** `fanfold token list` */
export function listTokens(choice: DeskChoice, io: ProgramIo): Promise<number> {
  return atDesk(choice, io, async (desk) => {
    const tokens = await desk.tokens();
    if (choice.options.json === true) io.stdout.write(`${JSON.stringify({ tokens })}\n`);
    else if (tokens.length === 0) io.stderr.write("There is no token yet: fanfold token create makes one.\n");
    else for (const line of tableLines([LIST_HEAD, ...tokens.map(row)])) io.stdout.write(`${line}\n`);
  });
}

/** `fanfold token show [ID]` */
export function showTokens(id: string | undefined, choice: DeskChoice, io: ProgramIo): Promise<number> {
  return atDesk(choice, io, async (desk) => {
    if (id !== undefined) return show([await desk.showToken(id)], choice.options, io);
    const first = (await desk.tokens()).filter((token) => token.first && token.state === "good");
    if (first.length === 0)
      throw new FanfoldError(
        "token-unknown",
        "cannot show the tokens of the first start: there are none that are good; fanfold token list shows all, fanfold token create makes another",
      );
    const shown = await Promise.all(first.map((token) => desk.showToken(token.id)));
    return show(shown, choice.options, io);
  });
}

/** `fanfold token revoke ID` */
export function revokeToken(id: string, choice: DeskChoice, io: ProgramIo): Promise<number> {
  return atDesk(choice, io, async (desk) => {
    const token = await desk.revokeToken(id);
    if (choice.options.json === true) io.stdout.write(`${JSON.stringify(token)}\n`);
    else
      io.stdout.write(
        `revoked the token ${token.id}: it lets in nobody any more; those that it let in stay, see fanfold members list\n`,
      );
  });
}

/** The lines to paste are alone on standard output, so that a script can take them. */
function show(tokens: readonly ShownToken[], { json }: GivenDesk, io: ProgramIo): void {
  for (const token of tokens) {
    if (json === true) io.stdout.write(`${JSON.stringify({ ...token, line: pasteLine(token) })}\n`);
    else {
      io.stderr.write(`${forOutput(tokenFacts(token), io.stderr)}\n`);
      io.stdout.write(`${pasteLine(token)}\n`);
    }
  }
}

const LIST_HEAD = ["ID", "ROLE", "SESSIONS", "STATE", "LETS IN", "EXPIRES", "NOTE"];

function row({ id, role, session, state, usesLeft, expires, note }: TokenView): readonly string[] {
  const until = expires === undefined ? "never" : shownTime(expires);
  return [id, role, session, STATE_WORDS[state], usesLeft === undefined ? "any" : String(usesLeft), until, note ?? ""];
}
