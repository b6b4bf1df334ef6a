import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { CloseIcon, FileIcon, SaveIcon } from './icons.tsx'
import type { Lang, Media } from './item.ts'
import type { TalkWords } from './text/en.ts'
import { clockText, sizeText } from './view-model.ts'

type Load = (id: string) => Promise<string>
type Loaded = { state: 'loading' } | { state: 'failed' } | { state: 'ready'; url: string }

const useMedia = (id: string, load: Load): [Loaded, () => void] => {
  const [loaded, setLoaded] = useState<Loaded>({ state: 'loading' })
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    let current = true
    setLoaded({ state: 'loading' })
    load(id).then(
      url => current && setLoaded({ state: 'ready', url }),
      () => current && setLoaded({ state: 'failed' }),
    )
    return () => {
      current = false
    }
  }, [id, attempt])
  return [loaded, () => setAttempt(attempt + 1)]
}

const Waiting = ({ loaded, again, words }: { loaded: Loaded; again: () => void; words: TalkWords }): JSX.Element =>
  loaded.state === 'failed' ? (
    <p class="soft media-failed">
      <span>{words.mediaFailed}</span>
      <button type="button" class="small" onClick={again}>
        {words.tryAgain}
      </button>
    </p>
  ) : (
    <p class="soft media-wait">{words.mediaLoading}</p>
  )

/** A photo that opens large in a dialog. */
export const Picture = ({
  media,
  who,
  words,
  load,
}: {
  media: Media
  who: string
  words: TalkWords
  load: Load
}): JSX.Element => {
  const [loaded, again] = useMedia(media.id, load)
  const dialog = useRef<HTMLDialogElement>(null)
  if (loaded.state !== 'ready') return <Waiting loaded={loaded} again={again} words={words} />
  const alt = words.photoFrom(who)
  return (
    <>
      <button
        type="button"
        class="picture"
        aria-label={`${alt}. ${words.showPhoto}`}
        onClick={() => dialog.current?.showModal()}
      >
        <img src={loaded.url} alt="" width={media.width} height={media.height} />
      </button>
      <dialog ref={dialog} class="lightbox" aria-label={alt}>
        <img src={loaded.url} alt={alt} />
        <button type="button" class="round" aria-label={words.closePhoto} onClick={() => dialog.current?.close()}>
          <CloseIcon />
        </button>
      </dialog>
    </>
  )
}

/** A voice message with the browser's own player. */
export const Voice = ({ media, words, load }: { media: Media; words: TalkWords; load: Load }): JSX.Element => {
  const [loaded, again] = useMedia(media.id, load)
  return (
    <div class="voice">
      <p class="voice-title">
        {words.voice}
        {media.seconds ? <span> {clockText(media.seconds)}</span> : null}
      </p>
      {loaded.state === 'ready' ? (
        // biome-ignore lint/a11y/useMediaCaption: a message that a person just spoke has no captions
        <audio controls preload="metadata" src={loaded.url} aria-label={words.voice} />
      ) : (
        <Waiting loaded={loaded} again={again} words={words} />
      )}
    </div>
  )
}

/** A file that is fetched and decrypted only when it is asked for. */
export const FileCard = ({
  media,
  lang,
  words,
  load,
}: {
  media: Media
  lang: Lang
  words: TalkWords
  load: Load
}): JSX.Element => {
  const [state, setState] = useState<'idle' | 'busy' | 'failed'>('idle')
  const save = async () => {
    setState('busy')
    const url = await load(media.id).catch(() => null)
    setState(url === null ? 'failed' : 'idle')
    if (url === null) return
    const link = Object.assign(document.createElement('a'), { href: url, download: media.name })
    link.click()
  }
  return (
    <div class="file">
      <p class="file-name">
        <FileIcon />
        <span>
          <strong>{media.name}</strong>
          <span class="file-size">{sizeText(media.bytes, lang, words)}</span>
        </span>
      </p>
      <button
        type="button"
        class="small"
        aria-label={words.download(media.name)}
        disabled={state === 'busy'}
        onClick={save}
      >
        <SaveIcon />
        {state === 'busy' ? words.mediaLoading : words.save}
      </button>
      {state === 'failed' ? <p class="soft">{words.mediaFailed}</p> : <p class="file-hint">{words.saveHint}</p>}
    </div>
  )
}
