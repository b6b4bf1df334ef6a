import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { type Part, type Parts, parseBirthDate, partOrder, splitPasted } from '../birth-date.ts'
import type { FactorFault } from '../model.ts'
import type { Words } from '../text/en.ts'

type Props = {
  words: Words
  locale: string
  now: number
  fault: string | null
  onValue: (value: string | null, fault: FactorFault | null) => void
  children: JSX.Element
}

/** Day, month and year as three numbers, in the reader's own order; a whole date can be pasted into any of them. */
export const BirthDate = ({ words, locale, now, fault, onValue, children }: Props): JSX.Element => {
  const form = useRef<HTMLFormElement>(null)
  const order = partOrder(locale)
  const text = words.factor
  const field = (part: Part) => form.current?.elements.namedItem(part) as HTMLInputElement | null
  const values = (): Parts => ({
    day: field('day')?.value ?? '',
    month: field('month')?.value ?? '',
    year: field('year')?.value ?? '',
  })
  const submit = (event: Event) => {
    event.preventDefault()
    const parsed = parseBirthDate(values(), now)
    if ('value' in parsed) return onValue(parsed.value, null)
    onValue(null, parsed.fault)
    order
      .map(field)
      .find(input => input && !/^\d+$/.test(input.value))
      ?.focus()
  }
  const paste = (event: ClipboardEvent) => {
    const parts = splitPasted(event.clipboardData?.getData('text') ?? '', order)
    if (!parts) return
    event.preventDefault()
    for (const part of order) {
      const input = field(part)
      if (input) input.value = parts[part]
    }
    field('year')?.focus()
  }
  const example = { day: '27', month: '3', year: '1948' }
  return (
    <form ref={form} onSubmit={submit} noValidate>
      <fieldset class="date" aria-describedby={fault ? 'fault date-hint' : 'date-hint'}>
        <legend>{text.birthGroup}</legend>
        <p id="date-hint" class="hint">
          {text.birthHint(order.map(part => example[part]).join(' / '))}
        </p>
        {fault ? (
          <p id="fault" class="fault" role="alert">
            {fault}
          </p>
        ) : null}
        <div class="date-fields">
          {order.map(part => (
            <label key={part} class={part}>
              <span>{text[part]}</span>
              <input
                name={part}
                type="text"
                inputMode="numeric"
                autocomplete={`bday-${part}`}
                maxLength={part === 'year' ? 4 : 2}
                aria-invalid={fault !== null}
                onPaste={paste}
              />
            </label>
          ))}
        </div>
      </fieldset>
      {children}
    </form>
  )
}
