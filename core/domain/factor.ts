import { type Instant, minutes } from './clock.ts'

/** What a person proves before anything of the conversation reaches the browser (rows 19, 56). */
export const factors = ['birth_date', 'sms_code', 'pin'] as const
export type Factor = (typeof factors)[number]

export const isFactor = (value: unknown): value is Factor => (factors as readonly unknown[]).includes(value)

/** Wrong answers that a person has before the lock; they count over all links, so that a new text gives no new tries. */
export const maxTries = 3
/** Wrong codes before a texted code is void. */
export const maxCodeTries = 5
export const codeLifeMs = minutes(10)
/** How long a browser that passed the first factor may take for the next. */
export const attemptLifeMs = minutes(15)

export const triesLeft = (tries: number): number => Math.max(0, maxTries - tries)

export type Tries = { tries: number; lockedAt: Instant | null }

/** The person's counter after a wrong answer: the third locks until staff unlock. */
export const afterWrong = (state: Tries, now: Instant): Tries => {
  const tries = state.tries + 1
  return { tries, lockedAt: state.lockedAt ?? (tries >= maxTries ? now : null) }
}

/**
 * The factors still to prove, in the order that the page asks: the birth date before a code is texted, so that a forwarded link costs no SMS.
 * A policy that names a PIN asks it only of persons who have one; an empty policy is the birth date.
 */
export const factorsLeft = (
  policy: readonly Factor[],
  person: { hasPin: boolean },
  passed: readonly Factor[],
): Factor[] => {
  const asked = factors.filter(f => policy.includes(f) && (f !== 'pin' || person.hasPin))
  return (asked.length > 0 ? asked : (['birth_date'] as Factor[])).filter(f => !passed.includes(f))
}

/** What is asked again in a running session: a PIN where the policy and the person have one, else the birth date. Never a code that has to be texted. */
export const reauthFactor = (policy: readonly Factor[], person: { hasPin: boolean }): Factor =>
  policy.includes('pin') && person.hasPin ? 'pin' : 'birth_date'

export type TextedCode = { expiresAt: Instant; tries: number }

export const codeIsOpen = (code: TextedCode, now: Instant): boolean => now < code.expiresAt && code.tries < maxCodeTries
