/** A database's dump without the record of what was refused or looked at: what a call changed beside being recorded. */
export const unrecorded = (dump: string): string =>
  dump
    .split('\n')
    .filter(line => !/"action":"(request\.|webhook\.|consent\.view)/.test(line))
    .join('\n')
