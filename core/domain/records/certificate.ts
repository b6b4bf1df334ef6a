/**
 * What a deletion run's certificate says over the run's entries in the audit log (`record.destroy`): SHA-256 over their ids (the field `id` of each entry), in
 * ascending order, one a line. The log's own hashes bind each id to its entry. It begins with a letter, so that it stands in the log as it is.
 */
export const certificateDigest = (entries: readonly number[], sha256: (text: string) => string): string =>
  `sha256:${sha256(
    entries
      .toSorted((a, b) => a - b)
      .map(id => `${id}\n`)
      .join(''),
  )}`
