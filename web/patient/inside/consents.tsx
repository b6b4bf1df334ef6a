import type { JSX } from 'preact'
import type { ConsentView, Lang } from '../../contract.ts'
import type { State } from '../model.ts'
import { locales } from '../text/index.ts'
import type { InsideWords } from '../text/inside-en.ts'
import type { OverlayProps } from './overlays.tsx'

type Props = OverlayProps & { overlay: Extract<State['overlay'], { is: 'consents' }> }

/** The consent ledger: every scope with its text, its version, what was said, when and how; each can be changed here. */
export const Consents = ({ state, words, send, overlay }: Props): JSX.Element => (
  <>
    <p>{words.consentIntro}</p>
    <p class={overlay.note === 'failed' ? 'alert' : 'note'} role={overlay.note === 'failed' ? 'alert' : 'status'}>
      {overlay.note === 'saved' ? words.consentSaved : overlay.note === 'failed' ? words.consentFailed : ''}
    </p>
    {overlay.list === null && overlay.note !== 'failed' ? <p role="status">{words.loading}</p> : null}
    <ul class="consents">
      {(overlay.list ?? []).map(consent => (
        <Consent
          key={consent.scope}
          consent={consent}
          lang={state.lang}
          words={words}
          busy={overlay.saving === consent.scope}
          onChange={agreed => send({ type: 'consent', scope: consent.scope, agreed })}
        />
      ))}
    </ul>
  </>
)

type ConsentProps = {
  consent: ConsentView
  lang: Lang
  words: InsideWords
  busy: boolean
  onChange: (agreed: boolean) => void
}

const Consent = ({ consent, lang, words, busy, onChange }: ConsentProps): JSX.Element => {
  const date = new Intl.DateTimeFormat(locales[lang], { dateStyle: 'long' })
  const since = [
    ...(consent.at === null ? [] : [words.consentSince(date.format(consent.at))]),
    ...(consent.method === null ? [] : [words.consentHow[consent.method]]),
  ].join(', ')
  const choice = (agreed: boolean, label: string) => (
    <button
      type="button"
      class={consent.agreed === agreed ? 'chosen' : ''}
      aria-pressed={consent.agreed === agreed}
      aria-disabled={busy}
      onClick={() => !busy && consent.agreed !== agreed && onChange(agreed)}
    >
      {label}
    </button>
  )
  return (
    <li class="consent">
      <h3 id={`consent-${consent.scope}`}>{consent.title[lang]}</h3>
      <p>{consent.text[lang]}</p>
      {consent.scope === 'care' && consent.agreed ? <p class="hint">{words.consentCareOff}</p> : null}
      <fieldset class="yes-no" aria-labelledby={`consent-${consent.scope}`}>
        {choice(true, words.consentYes)}
        {choice(false, words.consentNo)}
      </fieldset>
      <p class="hint">
        {consent.agreed ? words.consentOn : words.consentOff}
        {since ? ` (${since})` : ''}. {words.consentVersion(consent.version)}.
      </p>
    </li>
  )
}
