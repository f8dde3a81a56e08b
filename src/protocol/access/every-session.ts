/** Among the names of sessions that a token is for: matches every session. */
export const EVERY_SESSION = "*";
