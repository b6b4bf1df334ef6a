import type { Entry } from '../sink.ts'
import { asciiJson } from './json.ts'

export const csvHead =
  'idx,id,at,actor_kind,actor,device,action,object_kind,object,outcome,patient,room,origin,reason,detail,resolved'

/** What a spreadsheet would run as a formula, also behind full-width signs and spaces; and the apostrophe itself, so that taking one off gives the value back. */
const formula = /^[\s]*[=+\-@＝＋－＠'\t\r]/

/**
 * One cell on one line: backslashes doubled, control characters and half characters written as \\uXXXX, everything in double quotes (RFC 4180), and an
 * apostrophe before what a spreadsheet would take for a formula.
 */
export const csvCell = (value: string | number): string => {
  const plain = String(value).replaceAll('\\', '\\\\')
  const oneLine = plain.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, c =>
    Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  )
  return `"${(formula.test(oneLine) ? `'${oneLine}` : oneLine).replaceAll('"', '""')}"`
}

export const csvLine = ({ record: r, subjects }: Entry): string =>
  [
    r.idx,
    r.id,
    new Date(r.at).toISOString(),
    r.actor.kind,
    r.actor.ref,
    r.actor.device ?? '',
    r.action,
    r.object.kind,
    r.object.ref,
    r.outcome,
    r.patient ?? '',
    r.room ?? '',
    r.origin ?? '',
    r.reason ?? '',
    r.detail ? asciiJson(r.detail) : '',
    subjects.size > 0 ? asciiJson(Object.fromEntries(subjects)) : '',
  ]
    .map(csvCell)
    .join(',')
