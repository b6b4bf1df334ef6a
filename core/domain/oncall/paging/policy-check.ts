import { hours, minutes, seconds } from '../../clock.ts'
import { type Refusal, refuse } from '../../refusal.ts'
import type { Rung } from './ladder.ts'
import { type EscalationPolicy, type Fallback, type Plan, type Target, targetKey, targetWords } from './policy.ts'
import { type Priority, priorities } from './priority.ts'

/** What a policy may ask of people and of the machine. */
export const policyLimits = {
  /** Shorter waits would call a whole hospital before anybody can take a telephone out of a pocket. */
  leastWaitMs: seconds(15),
  longestWaitMs: hours(4),
  steps: 20,
  targets: 20,
  repeat: 10,
  acks: 5,
  /** From the page to the fallback. */
  longestMs: hours(24),
  rungs: 10,
  leastRungWaitMs: seconds(15),
  longestRungWaitMs: minutes(60),
} as const

/** What the check must know of the clinic. */
export type Directory = {
  /** Whom a role or a rotation means in turn; undefined when there is none of that name. */
  members(target: Target): readonly Target[] | undefined
  isPerson(user: string): boolean
  isLine(line: string): boolean
}

const whole = (n: number, least: number, most: number): boolean => Number.isInteger(n) && n >= least && n <= most
const inSeconds = (ms: number): string => (ms % 60_000 === 0 ? `${ms / 60_000} min` : `${Math.round(ms / 1000)} s`)

const isKnown = (target: Target, directory: Directory): boolean =>
  target.kind === 'user' ? directory.isPerson(target.user) : directory.members(target) !== undefined

/** The way from a target through roles and rotations back to one that it came through, or undefined. Each target is looked into once. */
export const loopFrom = (target: Target, directory: Directory): Target[] | undefined => {
  const clear = new Set<string>()
  const walk = (at: Target, path: readonly Target[]): Target[] | undefined => {
    const before = path.findIndex(t => targetKey(t) === targetKey(at))
    if (before >= 0) return [...path.slice(before), at]
    if (at.kind === 'user' || clear.has(targetKey(at))) return undefined
    for (const member of directory.members(at) ?? []) {
      const loop = walk(member, [...path, at])
      if (loop) return loop
    }
    clear.add(targetKey(at))
    return undefined
  }
  return walk(target, [])
}

const unknownBehind = (target: Target, directory: Directory): Target | undefined => {
  const seen = new Set<string>()
  const queue = [target]
  for (let at = queue.pop(); at; at = queue.pop()) {
    if (seen.has(targetKey(at))) continue
    seen.add(targetKey(at))
    if (!isKnown(at, directory)) return at
    queue.push(...(at.kind === 'user' ? [] : (directory.members(at) ?? [])))
  }
  return undefined
}

const checkTarget = (target: Target, where: string, directory: Directory): Refusal | undefined => {
  // Before the loop: the way to it is only sure where every name is known.
  const unknown = unknownBehind(target, directory)
  if (unknown) return refuse('unknown-target', `${where}: there is no ${targetWords(unknown)}.`)
  const loop = loopFrom(target, directory)
  return loop && refuse('loop', `${where} never reaches a person: ${loop.map(targetWords).join(' → ')}.`)
}

const checkStep = (step: Plan['steps'][number], where: string, directory: Directory): Refusal | undefined => {
  const l = policyLimits
  if (step.targets.length === 0) return refuse('empty-step', `${where} calls nobody.`)
  if (step.targets.length > l.targets) return refuse('too-many-targets', `${where} names more than ${l.targets}.`)
  if (!(step.waitMs >= l.leastWaitMs))
    return refuse('wait-too-short', `${where} must wait at least ${inSeconds(l.leastWaitMs)} for an answer.`)
  if (!(step.waitMs <= l.longestWaitMs))
    return refuse('wait-too-long', `${where} may wait at most ${inSeconds(l.longestWaitMs)} for an answer.`)
  if (!whole(step.repeat, 0, l.repeat)) return refuse('endless', `${where} must end: repeat it 0 to ${l.repeat} times.`)
  for (const target of step.targets) {
    const wrong = checkTarget(target, where, directory)
    if (wrong) return wrong
  }
  return undefined
}

const checkFallback = (fallback: Fallback, where: string, directory: Directory): Refusal | undefined => {
  const known = fallback.kind === 'user' ? directory.isPerson(fallback.user) : directory.isLine(fallback.line)
  return known
    ? undefined
    : refuse(
        'no-fallback',
        `${where} needs a fallback that exists: a person or a telephone line, not ${targetWords(fallback)}.`,
      )
}

/** The longest time from the page to its fallback, in ms, as far as the policy itself tells: a `first` step counts each target once. */
export const longestMs = (plan: Plan): number =>
  plan.steps.reduce(
    (sum, s) => sum + s.waitMs * (s.repeat + 1) * (s.ask === 'first' ? Math.max(1, s.targets.length) : 1),
    0,
  )

const checkPlan = (plan: Plan, name: string, priority: Priority, directory: Directory): Refusal | undefined => {
  const where = `Policy ${name}, ${priority}`
  const l = policyLimits
  if (plan.steps.length === 0) return refuse('no-steps', `${where} has no step.`)
  if (plan.steps.length > l.steps) return refuse('too-many-steps', `${where} has more than ${l.steps} steps.`)
  if (!whole(plan.acks, 1, l.acks)) return refuse('acks', `${where}: 1 to ${l.acks} people accept.`)
  for (const [i, step] of plan.steps.entries()) {
    const wrong = checkStep(step, `${where}, step ${i + 1}`, directory)
    if (wrong) return wrong
  }
  const people = plan.steps.flatMap(s => s.targets)
  if (people.every(t => t.kind === 'user') && new Set(people.map(targetKey)).size < plan.acks)
    return refuse('acks', `${where} wants ${plan.acks} people to accept and calls fewer.`)
  if (longestMs(plan) > l.longestMs)
    return refuse('endless', `${where} takes more than ${l.longestMs / hours(1)} hours to reach its fallback.`)
  return checkFallback(plan.fallback, where, directory)
}

/**
 * The first thing that is wrong with a policy, or undefined. Refuses with `no-steps`, `empty-step`, `wait-too-short`, `wait-too-long`, `endless`, `loop`,
 * `unknown-target`, `no-fallback`, `acks`, `too-many-steps` or `too-many-targets`.
 */
export const checkPolicy = (policy: EscalationPolicy, directory: Directory): Refusal | undefined => {
  for (const priority of priorities) {
    const wrong = checkPlan(policy.plans[priority], policy.name, priority, directory)
    if (wrong) return wrong
  }
  return undefined
}

/** The first thing that is wrong with a person's contact ladder, or undefined: `no-rungs`, `endless`, `wait-too-short` or `wait-too-long`. */
export const checkLadder = (rungs: readonly Rung[]): Refusal | undefined => {
  const l = policyLimits
  if (rungs.length === 0) return refuse('no-rungs', 'A contact ladder needs at least one way to reach you.')
  if (rungs.length > l.rungs) return refuse('endless', `A contact ladder ends after at most ${l.rungs} attempts.`)
  // The last rung's wait is never waited.
  const waits = rungs.slice(0, -1).map(r => r.waitMs)
  if (waits.some(ms => !(ms >= l.leastRungWaitMs)))
    return refuse('wait-too-short', `At least ${inSeconds(l.leastRungWaitMs)} between two attempts.`)
  if (waits.some(ms => !(ms <= l.longestRungWaitMs)))
    return refuse('wait-too-long', `At most ${inSeconds(l.longestRungWaitMs)} between two attempts.`)
  return undefined
}
