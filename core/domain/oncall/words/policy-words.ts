import { hours, minutes, seconds } from '../../clock.ts'
import { type Refusal, refuse } from '../../refusal.ts'
import { type EscalationPolicy, type Plan, type PolicyStep, type Target, targetWords } from '../paging/policy.ts'
import { priorities } from '../paging/priority.ts'

const time = (ms: number): string => (ms % 60_000 === 0 ? `${ms / 60_000}m` : `${Math.round(ms / 1000)}s`)

const stepWords = (s: PolicyStep): string =>
  [
    s.ask === 'first' ? 'first' : '',
    s.targets.map(targetWords).join(' '),
    time(s.waitMs),
    s.repeat > 0 ? `x${s.repeat + 1}` : '',
  ]
    .filter(Boolean)
    .join(' ')

/** `role cardiology 5m x2, @bob:clinic.example 10m, then @dan:clinic.example`; its steps read back. */
export const planWords = (p: Plan): string =>
  `${p.steps.map(stepWords).join(', ')}, then ${targetWords(p.fallback)}${p.acks > 1 ? `; ${p.acks} must accept` : ''}`

/** A line for each priority: whom a page calls, for how long, and who comes last. */
export const policyLines = (policy: EscalationPolicy): (readonly [string, string])[] =>
  priorities.map(p => [`Page, ${p}`, planWords(policy.plans[p])] as const)

const units = { s: seconds, m: minutes, h: hours }

const wrong = (part: string): Refusal =>
  refuse(
    'bad-steps',
    `“${part.slice(0, 60)}” is not a step. A step is whom it calls and how long it waits: role cardiology 5m x2, @bob 10m.`,
  )

const stepOf = (part: string, server: string): PolicyStep | Refusal => {
  const words = part.trim().split(/\s+/)
  const targets: Target[] = []
  let [ask, waitMs, repeat]: [PolicyStep['ask'], number | undefined, number] = ['all', undefined, 0]
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    const wait = /^(\d{1,4})(s|m|h)$/.exec(word)
    const times = /^x(\d{1,3})$/i.exec(word)
    if (word === 'first' && i === 0) ask = 'first'
    else if (word === 'all' && i === 0) ask = 'all'
    else if (word === 'role' || word === 'rotation') {
      const name = words[++i]
      if (!name) return wrong(part)
      targets.push(word === 'role' ? { kind: 'role', role: name } : { kind: 'rotation', rotation: name })
    } else if (/^@[^\s:]+(:\S+)?$/.test(word))
      targets.push({ kind: 'user', user: word.includes(':') ? word : `${word}:${server}` })
    else if (wait) waitMs = units[wait[2] as keyof typeof units](Number(wait[1]))
    else if (times) repeat = Number(times[1]) - 1
    else return wrong(part)
  }
  return targets.length === 0 || waitMs === undefined ? wrong(part) : { targets, ask, waitMs, repeat }
}

/** Steps of a plan: `role cardiology 5m x2, first @bob @cyd 10m`. `@bob` is of `server`. `first` asks one after the other; `x2` does a step twice. */
export const parseSteps = (text: string, server: string): PolicyStep[] | Refusal => {
  const steps: PolicyStep[] = []
  for (const part of text.split(',')) {
    const step = stepOf(part, server)
    if ('refused' in step) return step
    steps.push(step)
  }
  return steps
}
