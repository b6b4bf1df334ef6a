import fc from 'fast-check'
import { auditActions } from '../../../core/domain/audit/event.ts'
import type { AuditRecord } from '../../../core/domain/audit/record.ts'

/** Text as hostile as can be: formulas, quotes, separators, line ends of every alphabet, control characters, half characters, markup. */
export const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ maxLength: 400 }),
  fc
    .array(
      fc.constantFrom(
        '=cmd|" /C calc"!A0',
        '+1',
        '-1',
        '@SUM(1)',
        '＝1',
        "'",
        '"',
        '""',
        ',',
        ';',
        '\t',
        '\r\n',
        '\n',
        '\0',
        '\u0085',
        '\u2028',
        '\u2029',
        '\ud800',
        '\udc00',
        '\u202e',
        '\ufeff',
        '|',
        '\\',
        '\\n',
        '=',
        ']',
        '[',
        '<13>1 - - - - - -',
        '5 hello',
        '{"a":1}',
        '</script>',
        '💥',
        '%0a',
        '\u007f',
        '\u009b',
      ),
      { maxLength: 8 },
    )
    .map(parts => parts.join('')),
)

/**
 * Names of details, as odd as `text`, which a test may read back with JSON.parse. Without a backslash: once V8 (all lines up to 14.6 at least, nodejs/node#63785) has
 * read an object with such a name, it takes an escaped name of the same length in the same place for it. What Wardroom writes has no such names (`detailName` in
 * core/domain/audit/leaf.ts).
 */
export const detailNames = (text: fc.Arbitrary<string>) => text.filter(name => !name.includes('\\'))

const ref = fc.oneof(
  fc.base64String({ minLength: 44, maxLength: 44 }).map(s => s.slice(0, 43).replaceAll('+', '-').replaceAll('/', '_')),
  hostile,
)
const maybe = <T>(a: fc.Arbitrary<T>) => fc.option(a, { nil: undefined })
const value = fc.oneof(hostile, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null))

/** Entries whose every text may be anything, as if nothing before the sinks had bounded it. */
export const anyRecord: fc.Arbitrary<AuditRecord> = fc
  .record({
    idx: fc.nat(5_000_000_000 % 2 ** 31),
    id: fc.nat(),
    at: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    actor: fc.record({
      kind: fc.constantFrom('user', 'person', 'service', 'peer', 'anonymous'),
      ref,
      device: maybe(hostile),
    }),
    action: fc.oneof(fc.constantFrom(...auditActions), hostile),
    object: fc.record({ kind: fc.constantFrom('room', 'patient', 'setting', 'sink'), ref }),
    outcome: fc.constantFrom('done', 'refused', 'failed'),
    patient: maybe(ref),
    room: maybe(ref),
    origin: maybe(ref),
    reason: maybe(hostile),
    detail: maybe(
      fc.dictionary(
        detailNames(hostile).filter(name => name !== '__proto__'),
        value,
        { maxKeys: 5 },
      ),
    ),
  })
  .map(r => JSON.parse(JSON.stringify(r)) as AuditRecord)
