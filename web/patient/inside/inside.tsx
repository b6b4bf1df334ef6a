import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { Composer } from '../../shared/conversation/composer.tsx'
import { CloseIcon, InfoIcon, MenuIcon, OfflineIcon, PhoneIcon } from '../../shared/conversation/icons.tsx'
import { MessageList } from '../../shared/conversation/message-list.tsx'
import { talkWords } from '../../shared/conversation/text/index.ts'
import { talkView } from '../../shared/conversation/view-model.ts'
import type { InsideProps } from '../app.tsx'
import type { Compose, State } from '../model.ts'
import { phoneHref, phoneText } from '../phone.ts'
import { ClinicName } from '../screens/frame.tsx'
import { wordsOf } from '../text/index.ts'
import { type InsideWords, insideEn } from '../text/inside-en.ts'
import { insideEs } from '../text/inside-es.ts'
import { Overlays } from './overlays.tsx'
import '../../shared/conversation/conversation.css'
import './inside.css'

const empty = { me: '', items: [], older: 'none', connection: 'ok' } as const

/** The conversation with its header, banners, composer and dialogs. */
export const Inside = ({ state, send, loadMedia }: InsideProps): JSX.Element => {
  const { lang, session, compose } = state
  const words = lang === 'es' ? insideEs : insideEn
  const talking = talkWords(lang)
  const talk = state.talk ?? { ...empty, items: [] }
  const minute = Math.floor(state.now / 60_000)
  const view = useMemo(
    () => talkView({ talk, team: session?.team ?? {}, lang, words: talking, now: state.now }),
    [state.talk, session?.team, lang, minute],
  )
  const answering = talk.items.at(-1)?.sender !== talk.me
  return (
    <div class={`inside ${state.overlay.is === 'reauth' ? 'covered' : ''}`}>
      <Header state={state} words={words} send={send} />
      <Banner state={state} words={words} />
      <main id="main" class="inside-main" inert={state.overlay.is === 'reauth'}>
        <h1 class="unseen">{words.title}</h1>
        <MessageList
          view={view}
          lang={lang}
          words={talking}
          actions={{
            loadMedia,
            retry: id => send({ type: 'retry', id }),
            discard: id => send({ type: 'discard', id }),
          }}
          loadOlder={() => send({ type: 'older' })}
          intro={words.private}
          expect={expectation(state, words)}
          seen={id => send({ type: 'seen', id })}
        />
        <Composer
          text={compose.text}
          staged={compose.staged}
          preparing={compose.preparing}
          notice={noticeText(compose.notice, state)}
          quickReplies={answering ? (session?.quickReplies ?? []).map(reply => reply[lang]) : []}
          lang={lang}
          words={talking}
          onText={text => send({ type: 'write', text })}
          onPick={(file, kind) => send({ type: 'pick', file, kind })}
          onVoice={(blob, seconds) => send({ type: 'staged', staged: voiceOf(blob, seconds) })}
          onNoMicrophone={() => send({ type: 'compose-notice', notice: 'no-microphone' })}
          onUnstage={() => send({ type: 'unstage' })}
          onSend={() => send({ type: 'send' })}
        />
      </main>
      <Overlays state={state} words={words} entry={wordsOf(lang)} send={send} />
    </div>
  )
}

/** Who answers and when, under the newest message: where a person looks who waits for an answer. */
const expectation = ({ clinic, lang }: State, words: InsideWords): string =>
  clinic ? `${clinic.afterHours ? `${words.afterHours} ` : ''}${clinic.answers[lang]}` : ''

const voiceOf = (blob: Blob, seconds: number) => {
  const end = blob.type.split('/')[1] ?? 'webm'
  return { kind: 'voice' as const, name: `voice.${end}`, blob, url: URL.createObjectURL(blob), seconds }
}

const noticeText = (notice: Compose['notice'], state: State): string | null => {
  const words = talkWords(state.lang)
  if (notice === 'too-big') return words.tooBig(Math.floor((state.session?.limits.uploadBytes ?? 0) / 1_000_000))
  if (notice === null) return null
  return {
    'too-long': words.tooLong,
    empty: words.emptyFile,
    'bad-photo': words.badPhoto,
    'no-microphone': words.noMicrophone,
  }[notice]
}

type PartProps = { state: State; words: InsideWords; send: InsideProps['send'] }

const Header = ({ state, words, send }: PartProps): JSX.Element => {
  const [open, setOpen] = useState(false)
  const { clinic, lang } = state
  const entry = wordsOf(lang)
  const other = lang === 'es' ? 'en' : 'es'
  useEffect(() => {
    if (!open) return
    const onKey = (event: KeyboardEvent) => event.key === 'Escape' && setOpen(false)
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [open])
  const choose = (act: () => void) => () => {
    setOpen(false)
    act()
  }
  return (
    <header class="bar">
      <a class="skip" href="#write">
        {entry.skip}
      </a>
      <ClinicName state={state} />
      <div class="bar-buttons">
        {clinic?.phone ? (
          <a
            class="button bar-button"
            href={phoneHref(clinic.phone)}
            aria-label={words.callClinic(clinic.name, phoneText(clinic.phone))}
          >
            <PhoneIcon />
            <span>{words.callUs}</span>
          </a>
        ) : null}
        <button
          type="button"
          class="bar-button"
          aria-expanded={open}
          aria-controls="menu"
          onClick={() => setOpen(!open)}
        >
          {open ? <CloseIcon /> : <MenuIcon />}
          <span>{words.menu}</span>
        </button>
      </div>
      <nav id="menu" class="menu" aria-label={words.menu} hidden={!open}>
        <button type="button" onClick={choose(() => send({ type: 'show', overlay: 'about' }))}>
          {words.about}
        </button>
        <button type="button" onClick={choose(() => send({ type: 'show', overlay: 'consents' }))}>
          {words.permissions}
        </button>
        <button type="button" lang={other} onClick={choose(() => send({ type: 'language', lang: other }))}>
          {entry.otherLanguage}
        </button>
        <button type="button" class="leave" onClick={choose(() => send({ type: 'show', overlay: 'leave' }))}>
          {words.logOff}
        </button>
      </nav>
    </header>
  )
}

const Banner = ({ state, words }: Omit<PartProps, 'send'>): JSX.Element => {
  const { clinic, lang, talk } = state
  const trouble = !state.online ? words.offline : talk?.connection === 'reconnecting' ? words.serverDown : null
  return (
    <aside class="banners" aria-label={words.emergencyTitle}>
      <p class="banner-emergency">
        <InfoIcon />
        <span>{clinic?.emergency[lang]}</span>
      </p>
      <div role="status">
        {trouble ? (
          <p class="banner-trouble">
            <OfflineIcon />
            <span>{trouble}</span>
          </p>
        ) : null}
      </div>
    </aside>
  )
}
