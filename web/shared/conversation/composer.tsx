import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { CloseIcon, FileIcon, PhotoIcon, SendIcon, StopIcon, VoiceIcon } from './icons.tsx'
import type { Lang, Staged } from './item.ts'
import { canRecord, type Recording, startRecording } from './recorder.ts'
import type { TalkWords } from './text/en.ts'
import { clockText, sizeText } from './view-model.ts'

export type ComposerProps = {
  text: string
  staged: Staged | null
  /** A sentence for the person (too big, unreadable photo), spoken as an alert. */
  notice: string | null
  preparing: boolean
  quickReplies: string[]
  lang: Lang
  words: TalkWords
  onText: (text: string) => void
  onPick: (file: File, kind: 'photo' | 'file') => void
  onVoice: (blob: Blob, seconds: number) => void
  onNoMicrophone: () => void
  onUnstage: () => void
  onSend: () => void
}

/** Where a person writes: text, photo, file, voice, quick answers. What is picked is shown first and sent only by Send. */
export const Composer = (props: ComposerProps): JSX.Element => {
  const { text, staged, notice, words } = props
  const [recording, setRecording] = useState<Recording | null>(null)
  const area = useRef<HTMLTextAreaElement>(null)
  useLayoutEffect(() => grow(area.current), [text])
  const ready = (text.trim() !== '' || staged !== null) && !props.preparing
  const submit = (event?: Event) => {
    event?.preventDefault()
    if (!ready) return
    props.onSend()
    area.current?.focus()
  }
  const record = async () => {
    const begun = await startRecording().catch(() => null)
    if (begun === null) props.onNoMicrophone()
    else setRecording(begun)
  }
  if (recording !== null)
    return (
      <RecordingBar
        recording={recording}
        words={words}
        onDone={(blob, seconds) => {
          setRecording(null)
          props.onVoice(blob, seconds)
        }}
        onCancel={() => setRecording(null)}
      />
    )
  return (
    <form class="composer" onSubmit={submit}>
      {notice ? (
        <p class="notice" role="alert">
          {notice}
        </p>
      ) : null}
      {props.quickReplies.length > 0 && text === '' && staged === null ? (
        <fieldset class="quick">
          <legend class="unseen">{words.quick}</legend>
          {props.quickReplies.map(reply => (
            <button
              key={reply}
              type="button"
              class="chip"
              onClick={() => {
                props.onText(reply)
                area.current?.focus()
              }}
            >
              {reply}
            </button>
          ))}
        </fieldset>
      ) : null}
      {staged ? <StagedCard staged={staged} lang={props.lang} words={words} onUnstage={props.onUnstage} /> : null}
      {props.preparing ? <p role="status">{words.preparing}</p> : null}
      <div class="write">
        <label for="write" class="unseen">
          {words.write}
        </label>
        <textarea
          id="write"
          ref={area}
          rows={1}
          value={text}
          placeholder={words.placeholder}
          autocomplete="off"
          onInput={event => props.onText(event.currentTarget.value)}
          onKeyDown={event => (event.ctrlKey || event.metaKey) && event.key === 'Enter' && submit(event)}
        />
        <button type="submit" class="send" aria-disabled={!ready}>
          <SendIcon />
          <span>{words.send}</span>
        </button>
      </div>
      <div class="tools">
        <Pick kind="photo" label={words.addPhoto} long={words.addPhotoLong} onPick={props.onPick} />
        <Pick kind="file" label={words.addFile} long={words.addFileLong} onPick={props.onPick} />
        {canRecord() ? (
          <button type="button" class="tool" aria-label={words.addVoiceLong} onClick={record}>
            <VoiceIcon />
            <span>{words.addVoice}</span>
          </button>
        ) : null}
      </div>
    </form>
  )
}

const grow = (area: HTMLTextAreaElement | null): void => {
  if (!area) return
  area.style.height = 'auto'
  area.style.height = `${area.scrollHeight + 2}px`
}

type PickProps = { kind: 'photo' | 'file'; label: string; long: string; onPick: ComposerProps['onPick'] }

const Pick = ({ kind, label, long, onPick }: PickProps): JSX.Element => {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button type="button" class="tool" aria-label={long} onClick={() => input.current?.click()}>
        {kind === 'photo' ? <PhotoIcon /> : <FileIcon />}
        <span>{label}</span>
      </button>
      <input
        ref={input}
        type="file"
        hidden
        data-pick={kind}
        accept={kind === 'photo' ? 'image/*' : undefined}
        onChange={event => {
          const file = event.currentTarget.files?.[0]
          event.currentTarget.value = ''
          if (file) onPick(file, kind)
        }}
      />
    </>
  )
}

type StagedProps = { staged: Staged; lang: Lang; words: TalkWords; onUnstage: () => void }

const StagedCard = ({ staged, lang, words, onUnstage }: StagedProps): JSX.Element => (
  <div class="staged">
    {staged.kind === 'image' ? <img src={staged.url} alt="" /> : null}
    {staged.kind === 'voice' ? (
      // biome-ignore lint/a11y/useMediaCaption: what the person just spoke has no captions
      <audio controls src={staged.url} aria-label={words.voice} />
    ) : null}
    <p>
      <strong>{staged.kind === 'image' ? words.photo : staged.kind === 'voice' ? words.voice : staged.name}</strong>
      <span>
        {staged.kind === 'image' ? words.photoClean : `${words.staged}, ${sizeText(staged.blob.size, lang, words)}`}
      </span>
    </p>
    <button type="button" class="round" aria-label={words.unstage(staged.name)} onClick={onUnstage}>
      <CloseIcon />
    </button>
  </div>
)

type RecordingProps = {
  recording: Recording
  words: TalkWords
  onDone: (blob: Blob, seconds: number) => void
  onCancel: () => void
}

const RecordingBar = ({ recording, words, onDone, onCancel }: RecordingProps): JSX.Element => {
  const [seconds, setSeconds] = useState(0)
  const stop = useRef<HTMLButtonElement>(null)
  const finish = async () => {
    const { blob, seconds: length } = await recording.stop()
    onDone(blob, length)
  }
  useEffect(() => {
    stop.current?.focus()
    const timer = setInterval(() => {
      setSeconds(recording.seconds())
      if (recording.seconds() >= recording.limit) void finish()
    }, 250)
    return () => clearInterval(timer)
  }, [])
  return (
    <div class="composer recording">
      <p role="status">
        <span class="dot" />
        {words.recording} <span aria-hidden="true">{clockText(seconds)}</span>
      </p>
      <button ref={stop} type="button" class="main" onClick={finish}>
        <StopIcon />
        {words.stopRecording}
      </button>
      <button
        type="button"
        class="plain"
        onClick={() => {
          recording.cancel()
          onCancel()
        }}
      >
        {words.cancelRecording}
      </button>
    </div>
  )
}
