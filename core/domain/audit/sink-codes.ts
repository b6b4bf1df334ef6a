/** What a sink's error code means to a person, and what to do. Codes are those of `audit/sinks`: a receiver's own words are never kept. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [/econnrefused/, 'nobody listens at that address and port'],
  [/enotfound|eai_again/, 'the name of the receiver is not known here'],
  [/econnreset|epipe|und_err_socket/, 'the receiver broke the connection off'],
  [/closed-early/, 'the receiver closed the connection before everything was sent'],
  [
    /cut-off/,
    'the receiver ended the connection without saying that it read everything; if it is always so (rsyslog with gtls), there is the option confirm close',
  ],
  [
    /not-confirmed/,
    'the receiver did not close the connection after it was given everything; for one that never does, there is the option confirm none',
  ],
  [/etimedout|timeout|ehostunreach|enetunreach/, 'the receiver did not answer in time'],
  [/altname/, "the receiver's certificate is for another name"],
  [/cert_has_expired/, "the receiver's certificate has expired"],
  [
    /self_signed|self-signed|unable_to|untrusted/,
    "the receiver's certificate is signed by nobody that is trusted here; put its authority's certificate into the folder tls and name it with the option ca",
  ],
  [
    /alert|handshake|wrong_version|err_ssl/,
    'no TLS connection came about; the receiver may want a client certificate, or does not speak TLS there',
  ],
  [/enoent|eacces|eisdir/, 'a certificate, a key or the folder of the sinks cannot be read'],
  [/enospc|edquot|efbig/, 'the disk is full'],
  [/eloop/, 'the file is a symbolic link, which is not followed'],
  [/splunk-[1-4]$|http-401|http-403|fhir-401|fhir-403/, 'the receiver does not accept the token'],
  [/splunk-7|index_not_found/, 'the receiver has no such index'],
  [/splunk-9|http-429|http-503/, 'the receiver is too busy'],
  [/http-404|http-405|http-3\d\d/, 'the receiver has nothing at that address'],
  [/http-413/, 'an entry is too large for the receiver'],
  [
    /refuses-all/,
    'the receiver refuses everything, so entries wait until its set-up is mended (or !audit sink resume, to set some more aside)',
  ],
  [/bad-answer/, 'the answer is not one that such a receiver gives; is it the right address?'],
  [/http-5\d\d|fhir-5\d\d/, 'the receiver has a fault of its own'],
]

/** A clear sentence part for a code, followed by the code itself. */
export const sinkCodeMeaning = (code: string): string => {
  const meaning = meanings.find(([pattern]) => pattern.test(code))?.[1]
  return meaning ? `${meaning} (${code})` : code
}
