/** What the holder of a token may do: take part as a source or a sink, read what happens, or run the coordinator. */
export const TOKEN_ROLES = ["source", "sink", "observer", "admin"] as const;
export type TokenRole = (typeof TOKEN_ROLES)[number];

export function isTokenRole(word: string): word is TokenRole {
  return (TOKEN_ROLES as readonly string[]).includes(word);
}
