import type { MemberView } from "../../../protocol/access/operator-api.ts";
import { shownTime } from "../../../words/paste-line.ts";
import { atDesk, type DeskChoice } from "../../operator/at-desk.ts";
import { findMember } from "../../operator/find-member.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { tableLines } from "../../view/text/table.ts";

/** Digits of a key in the list: enough to name one. */
const KEY_DIGITS_SHOWN = 12;

/** `fanfold members list` */
export function listMembers(choice: DeskChoice, io: ProgramIo): Promise<number> {
  return atDesk(choice, io, async (desk) => {
    const members = await desk.members();
    if (choice.options.json === true) io.stdout.write(`${JSON.stringify({ members })}\n`);
    else if (members.length === 0) io.stderr.write("Nobody was let in by a token yet.\n");
    else for (const line of tableLines([LIST_HEAD, ...members.map(row)])) io.stdout.write(`${line}\n`);
  });
}

/** `fanfold members remove WHO` */
export function removeMember(who: string, choice: DeskChoice, io: ProgramIo): Promise<number> {
  return atDesk(choice, io, async (desk) => {
    const member = findMember(await desk.members(), who);
    await desk.removeMember(member.key);
    if (choice.options.json === true) io.stdout.write(`${JSON.stringify({ removed: member })}\n`);
    else
      io.stdout.write(
        `removed ${shown(member)}: its connections are closed, and only a token that is made from now on lets it in again\n`,
      );
  });
}

/** `fanfold members rename WHO NAME` */
export function renameMember(
  { who, name }: { readonly who: string; readonly name: string },
  choice: DeskChoice,
  io: ProgramIo,
): Promise<number> {
  return atDesk(choice, io, async (desk) => {
    const member = findMember(await desk.members(), who);
    await desk.renameMember(member.key, name);
    if (choice.options.json === true) io.stdout.write(`${JSON.stringify({ renamed: { ...member, name } })}\n`);
    else io.stdout.write(`${shown(member)} is called "${name}" in the list from now on\n`);
  });
}

const LIST_HEAD = ["NAME", "ROLE", "SESSIONS", "KEY", "TOKEN", "LET IN", "LAST SEEN"];

function row({ name, role, sessions, key, token, admitted, seen }: MemberView): readonly string[] {
  const digits = key.slice(0, KEY_DIGITS_SHOWN);
  return [name, role, sessions.join(" "), digits, token, shownTime(admitted), shownTime(seen)];
}

function shown({ role, name, key }: MemberView): string {
  return `the ${role} "${name}" (${key.slice(0, KEY_DIGITS_SHOWN)})`;
}
