import { type AgeKey, makeAgeKey } from "../../../src/lib/crypto/age.ts";

/** Fresh keys: the first ones are always there. */
export async function ageKeys(count: 1): Promise<readonly [AgeKey]>;
export async function ageKeys(count: 2): Promise<readonly [AgeKey, AgeKey]>;
export async function ageKeys(count: number): Promise<readonly AgeKey[]>;
export async function ageKeys(count: number): Promise<readonly AgeKey[]> {
  return await Promise.all(Array.from({ length: count }, () => makeAgeKey()));
}
