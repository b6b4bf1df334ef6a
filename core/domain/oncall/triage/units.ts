/** A number with its unit as a monitor or a laboratory writes it; UCUM where they follow it. */
export type Quantity = { value: number; unit: string }

/** Each unit in terms of its dimension's first: value × factor + offset. Amounts of a substance turn into masses by substance only. */
const units: Readonly<Record<string, { dimension: string; factor: number; offset?: number }>> = {
  '/min': { dimension: 'rate', factor: 1 },
  '/s': { dimension: 'rate', factor: 60 },
  mmhg: { dimension: 'pressure', factor: 1 },
  kpa: { dimension: 'pressure', factor: 7.50062 },
  cmh2o: { dimension: 'pressure', factor: 0.735559 },
  cel: { dimension: 'temperature', factor: 1 },
  f: { dimension: 'temperature', factor: 5 / 9, offset: -160 / 9 },
  '%': { dimension: 'share', factor: 1 },
  '1': { dimension: 'share', factor: 100 },
  'mmol/l': { dimension: 'amount', factor: 1 },
  'umol/l': { dimension: 'amount', factor: 0.001 },
  'mg/dl': { dimension: 'mass', factor: 1 },
  'g/dl': { dimension: 'mass', factor: 1000 },
  'g/l': { dimension: 'mass', factor: 100 },
  'ng/l': { dimension: 'mass', factor: 0.0001 },
  'ng/ml': { dimension: 'mass', factor: 0.1 },
  '10*9/l': { dimension: 'count', factor: 1 },
  s: { dimension: 'time', factor: 1 },
  min: { dimension: 'time', factor: 60 },
  'ml/h': { dimension: 'flow', factor: 1 },
}

const alias: Readonly<Record<string, string>> = {
  bpm: '/min',
  'beats/min': '/min',
  '{beats}/min': '/min',
  '{breaths}/min': '/min',
  'breaths/min': '/min',
  lpm: '/min',
  rpm: '/min',
  '1/min': '/min',
  'mm[hg]': 'mmhg',
  'cm[h2o]': 'cmh2o',
  c: 'cel',
  '°c': 'cel',
  '[degf]': 'f',
  degf: 'f',
  '°f': 'f',
  'meq/l': 'mmol/l',
  'µmol/l': 'umol/l',
  'μmol/l': 'umol/l',
  'pg/ml': 'ng/l',
  '10^9/l': '10*9/l',
  'k/ul': '10*9/l',
  '10*3/ul': '10*9/l',
}

/** mg/dL of one mmol/L. */
const molar: Readonly<Record<string, number>> = { glucose: 18.0156, creatinine: 11.312, lactate: 9.008, calcium: 4.008 }

const unitOf = (unit: string) => {
  const u = unit.trim().toLowerCase().replace(/\s+/g, '')
  const known = alias[u] ?? u
  return Object.hasOwn(units, known) ? units[known] : undefined
}

export const isUnit = (unit: string): boolean => unitOf(unit) !== undefined

/** The quantity of `substance` in another unit, or undefined where the two cannot be compared: then nothing is concluded from the number. */
export const convert = (q: Quantity, to: string, substance: string): number | undefined => {
  const a = unitOf(q.unit)
  const b = unitOf(to)
  if (!a || !b || !Number.isFinite(q.value)) return undefined
  const base = q.value * a.factor + (a.offset ?? 0)
  const perMmol = Object.hasOwn(molar, substance) ? molar[substance] : undefined
  const same =
    a.dimension === b.dimension
      ? base
      : perMmol === undefined
        ? undefined
        : a.dimension === 'amount' && b.dimension === 'mass'
          ? base * perMmol
          : a.dimension === 'mass' && b.dimension === 'amount'
            ? base / perMmol
            : undefined
  return same === undefined ? undefined : (same - (b.offset ?? 0)) / b.factor
}
