import { systemRandom } from "../../lib/random.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import type { EncodedStates } from "../../protocol/frame/trailer.ts";
import type { Root } from "../disk/root.ts";
import { manifestStateOf } from "../manifest/manifest.ts";
import type { KnownDamage } from "../own/known-damage.ts";

/**
 * A page is proven: of files that were known to be damaged, those whose content was proven now are not any more. The others stay so: their
 * source could not read them, or this sink not write them.
 */
export function noteMended(damage: KnownDamage, rows: PageRows, states: EncodedStates): void {
  if (damage.isEmpty) return;
  for (const [index, entry] of rows.entries().entries()) {
    if (entry.kind !== "file" || !damage.has(entry)) continue;
    const { state } = manifestStateOf(states, index);
    const isProven = state === "delivered" || (state === "unchanged" && entry.hash !== undefined);
    if (isProven) damage.mend(entry);
    else damage.add(entry);
  }
}

/** All pages are proven: what is still damaged is remembered for the next session. */
export function keepDamage(root: Root): void {
  root.damage.lookedAtAll();
  root.damage.save(root, systemRandom);
}
