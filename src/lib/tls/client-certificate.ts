/** What a client shows of itself to a server that asks for a certificate. Both parts are PEM. */
export interface ClientCertificate {
  /** With those between it and its authority behind it, if any. */
  readonly certificate: string;
  readonly key: string;
}
