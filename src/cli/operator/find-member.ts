import { FanfoldError } from "../../lib/errors.ts";
import type { MemberView } from "../../protocol/access/operator-api.ts";

/** Fewer digits of a key are no key: names are often as short. */
const KEY_DIGITS_MIN = 6;

/**
 * The one member that a person means: by its name, or by the beginning of its key. All roles of one key are one member.
 *
 * @throws FanfoldError `member-unknown`, or `usage` when several are meant
 */
export function findMember(members: readonly MemberView[], who: string): MemberView {
  const isKey = new RegExp(`^[0-9a-f]{${KEY_DIGITS_MIN},64}$`, "i").test(who);
  const meant = members.filter(({ name, key }) => name === who || (isKey && key.startsWith(who.toLowerCase())));
  const [first] = meant;
  const shown = JSON.stringify(who.slice(0, 100));
  if (first === undefined)
    throw new FanfoldError(
      "member-unknown",
      `cannot find the member ${shown}: nobody was let in by this name or key; fanfold members list shows all`,
    );
  const keys = [...new Set(meant.map(({ key }) => key))];
  if (keys.length === 1) return first;
  throw new FanfoldError(
    "usage",
    `cannot tell which member ${shown} is: ${keys.length} are called so; give the beginning of its key: ${keys
      .slice(0, 5)
      .map((key) => key.slice(0, 12))
      .join(", ")}`,
  );
}
