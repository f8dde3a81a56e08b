/**
 * What every answer says to a browser: nothing in it is a page, it loads nothing, shows in no frame, and nobody keeps it. A
 * page replaces the policy by its own. No `Strict-Transport-Security`: it would be for every port of the host.
 */
export const SECURITY_HEADERS = {
  "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
} as const;
