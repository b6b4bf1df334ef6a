import { closest } from '../../config/closest.ts'
import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import type { SinkTarget, SinkType } from './sink.ts'

/** What a sink may be told, checked; `shown` has secrets replaced. No sentence repeats what was typed, because it may be a secret in the wrong place. */
export const readConfig = (
  type: SinkType,
  target: string,
  options: Readonly<Record<string, string>>,
): (SinkTarget & { shown: Record<string, string> }) | Refusal => {
  const names = Object.keys(type.options)
  const shown: Record<string, string> = {}
  for (const [name, value] of Object.entries(options)) {
    const option = type.options[name]
    if (!option || !Object.hasOwn(type.options, name)) {
      const near = closest(name, names)
      return refuse(
        'unknown-option',
        `A sink of type ${type.name} has the options ${names.join(', ') || '(none)'}${near ? `; did you mean ${near}?` : '.'}`,
      )
    }
    const fits = option.oneOf ? option.oneOf.includes(value) : (option.pattern ?? /^[!-~]{1,500}$/).test(value)
    if (!fits)
      return refuse(
        'bad-option',
        `The option ${name} must be ${option.oneOf ? option.oneOf.join(' or ') : `as described: ${option.about}`}`,
      )
    shown[name] = option.secret ? '•••' : value
  }
  const missing = names.find(n => type.options[n]?.required && options[n] === undefined)
  if (missing) return refuse('missing-option', `The option ${missing} is missing: ${type.options[missing]?.about}`)
  const checked = type.readTarget(target, options)
  return isRefusal(checked) ? checked : { target: checked, options, shown }
}
