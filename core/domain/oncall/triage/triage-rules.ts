import { type Refusal, refuse } from '../../refusal.ts'
import { isPriority, type Priority } from '../paging/priority.ts'
import type { Condition, TriageRule } from './triage.ts'
import { isUnit } from './units.ts'

const words = (id: string, suggest: Priority, because: string, any: readonly string[]): TriageRule => ({
  id,
  suggest,
  because,
  when: [{ kind: 'words', any }],
})
const value = (
  id: string,
  suggest: Priority,
  because: string,
  c: Omit<Extract<Condition, { kind: 'value' }>, 'kind'>,
): TriageRule => ({
  id,
  suggest,
  because,
  when: [{ kind: 'value', ...c }],
})

/**
 * The rules of a clinic that has none of its own: adults, and only what hardly anybody disputes. They suggest; a clinic's own rules replace them. Phrases that
 * hold a denial of their own ("not breathing") are found as they stand.
 */
export const defaultTriageRules: readonly TriageRule[] = [
  words('arrest', 'stat', 'it may be a cardiac or respiratory arrest', [
    'cardiac arrest',
    'code blue',
    'not breathing',
    'no pulse',
    'pulseless',
    'unresponsive',
    'stopped breathing',
    'paro cardiaco',
    'codigo azul',
    'no respira',
    'sin pulso',
    'no tiene pulso',
    'no responde',
    'dejo de respirar',
  ]),
  words('heart', 'stat', 'it may be a heart attack', [
    'chest pain',
    'stemi',
    'dolor de pecho',
    'dolor en el pecho',
    'dolor toracico',
  ]),
  words('stroke', 'stat', 'it may be a stroke', [
    'stroke',
    'face drooping',
    'facial droop',
    'slurred speech',
    'derrame cerebral',
    'ictus',
    'cara caida',
    'habla arrastrada',
  ]),
  words('bleeding', 'stat', 'it may be a severe bleeding', [
    'massive bleeding',
    'hemorrhage',
    'haemorrhage',
    'bleeding out',
    'wont stop bleeding',
    'hemorragia',
    'sangra mucho',
    'no deja de sangrar',
  ]),
  words('airway', 'stat', 'breathing may be in danger', [
    'anaphylaxis',
    'cant breathe',
    'cannot breathe',
    'choking',
    'anafilaxia',
    'no puede respirar',
    'no puedo respirar',
    'se ahoga',
  ]),
  words('self-harm', 'stat', 'somebody may be in danger from themselves', [
    'suicidal',
    'suicide',
    'kill myself',
    'suicida',
    'suicidio',
    'matarme',
    'quitarme la vida',
  ]),
  words('sepsis', 'urgent', 'it may be a sepsis', ['sepsis', 'septic', 'rigors', 'septico', 'escalofrios']),
  words('seizure', 'urgent', 'it may be a seizure', [
    'seizure',
    'seizing',
    'convulsion',
    'convulsiones',
    'convulsionando',
  ]),
  words('fall', 'urgent', 'somebody may have fallen', ['fell', 'has fallen', 'se cayo', 'caida al suelo']),
  words('worse', 'urgent', 'the patient may be getting worse', [
    'getting worse',
    'deteriorating',
    'short of breath',
    'shortness of breath',
    'severe pain',
    'confused',
    'empeora',
    'empeorando',
    'falta de aire',
    'dolor fuerte',
    'dolor intenso',
    'confundido',
    'confundida',
  ]),
  words('said-urgent', 'urgent', 'the message says that it is urgent', [
    'urgent',
    'asap',
    'emergency',
    'urgente',
    'emergencia',
  ]),
  value('spo2-low', 'stat', 'oxygen saturation below 85 %', { name: 'SpO2', below: 85, unit: '%' }),
  value('spo2', 'urgent', 'oxygen saturation below 90 %', { name: 'SpO2', below: 90, unit: '%' }),
  value('heart-rate', 'urgent', 'heart rate below 40 or above 130 a minute', {
    name: 'heart rate',
    below: 40,
    above: 130,
    unit: '/min',
  }),
  value('systolic', 'urgent', 'systolic pressure below 90 or above 200 mmHg', {
    name: 'systolic',
    below: 90,
    above: 200,
    unit: 'mmHg',
  }),
  value('breathing', 'urgent', 'fewer than 8 or more than 25 breaths a minute', {
    name: 'respiratory rate',
    below: 8,
    above: 25,
    unit: '/min',
  }),
  value('temperature', 'urgent', 'temperature below 35 °C or above 39.5 °C', {
    name: 'temperature',
    below: 35,
    above: 39.5,
    unit: 'Cel',
  }),
  value('potassium', 'stat', 'potassium below 2.5 or above 6.5 mmol/L', {
    name: 'potassium',
    below: 2.5,
    above: 6.5,
    unit: 'mmol/L',
  }),
  value('glucose-low', 'stat', 'glucose below 54 mg/dL', { name: 'glucose', below: 54, unit: 'mg/dL' }),
  value('glucose-high', 'urgent', 'glucose above 400 mg/dL', { name: 'glucose', above: 400, unit: 'mg/dL' }),
  value('lactate', 'urgent', 'lactate above 4 mmol/L', { name: 'lactate', above: 4, unit: 'mmol/L' }),
  value('haemoglobin', 'urgent', 'haemoglobin below 7 g/dL', { name: 'hemoglobin', below: 7, unit: 'g/dL' }),
]

const mostRules = 200
const mostWords = 100

const checkCondition = (c: Condition, where: string): Refusal | undefined => {
  if (c.kind === 'value') {
    if (!isUnit(c.unit)) return refuse('unknown-unit', `${where}: the unit ${c.unit} is not known.`)
    const { below, above } = c
    if (below === undefined && above === undefined)
      return refuse('no-limit', `${where}: say below or above which value.`)
    if ([below, above].some(n => n !== undefined && !Number.isFinite(n)))
      return refuse('no-limit', `${where}: a limit is a number.`)
    return below !== undefined && above !== undefined && below > above
      ? refuse('limits-cross', `${where}: every value would be below ${below} or above ${above}.`)
      : undefined
  }
  if (c.any.length === 0 || c.any.some(w => w.trim() === ''))
    return refuse('empty-words', `${where} names nothing to look for.`)
  return c.any.length > mostWords ? refuse('too-many', `${where} has more than ${mostWords} words.`) : undefined
}

/** The first thing that is wrong with a clinic's rules, or undefined: `too-many`, `double`, `no-condition`, `no-priority`, `unknown-unit`, `no-limit`, `limits-cross` or `empty-words`. */
export const checkTriageRules = (rules: readonly TriageRule[]): Refusal | undefined => {
  if (rules.length > mostRules) return refuse('too-many', `At most ${mostRules} rules.`)
  const ids = new Set<string>()
  for (const r of rules) {
    if (ids.has(r.id)) return refuse('double', `Two rules are called ${r.id}.`)
    ids.add(r.id)
    if (r.when.length === 0) return refuse('no-condition', `Rule ${r.id} would fit everything.`)
    if (!isPriority(r.suggest)) return refuse('no-priority', `Rule ${r.id} suggests no priority.`)
    for (const c of r.when) {
      const wrong = checkCondition(c, `Rule ${r.id}`)
      if (wrong) return wrong
    }
  }
  return undefined
}
