import type { JSX } from 'preact'
import { FileCard, Picture, Voice } from './attachment.tsx'
import { CheckIcon, DoubleCheckIcon, LockIcon, WaitIcon, WarnIcon } from './icons.tsx'
import type { Content, Lang, Mark } from './item.ts'
import { linkify } from './linkify.ts'
import type { TalkWords } from './text/en.ts'
import type { Row } from './view-model.ts'

export type MessageActions = {
  /** Decrypts a file and answers a `blob:` address that stays valid until the page ends. */
  loadMedia: (id: string) => Promise<string>
  retry: (id: string) => void
  discard: (id: string) => void
}

type MessageRow = Extract<Row, { kind: 'message' }>
type Props = { row: MessageRow; lang: Lang; words: TalkWords; actions: MessageActions }

/** One message with its sender, content, time and mark. */
export const Message = ({ row, lang, words, actions }: Props): JSX.Element => (
  <li
    class={`message ${row.mine ? 'mine' : 'theirs'} ${row.from ? 'first' : ''} ${row.automatic ? 'automatic' : ''}`}
    data-mark={row.mark}
  >
    {row.from ? (
      <p class="from">
        <strong>{row.from.name}</strong>
        {row.from.role ? <span class="role">{row.from.role}</span> : null}
      </p>
    ) : (
      <p class="unseen">{row.who}</p>
    )}
    <div class={`bubble ${row.content.kind}`}>
      {row.quote ? (
        <blockquote class="quote">
          <span class="quote-who">{row.quote.who}</span>
          {row.quote.body}
        </blockquote>
      ) : null}
      <Body content={row.content} who={row.who} lang={lang} words={words} actions={actions} />
    </div>
    <p class="meta">
      <span>{row.time}</span>
      {row.notes.map(note => (
        <span key={note}>{note}</span>
      ))}
      {row.markText ? (
        <span class={`mark ${row.mark}`}>
          <MarkIcon mark={row.mark} />
          {row.markText}
        </span>
      ) : null}
    </p>
    {row.reactions.length > 0 ? (
      <p class="reactions">
        {row.reactions.map(key => (
          <span key={key}>{key}</span>
        ))}
      </p>
    ) : null}
    {row.mark === 'failed' ? (
      <div class="again">
        <button type="button" class="small" onClick={() => actions.retry(row.id)}>
          {words.retry}
        </button>
        <button type="button" class="small plain" onClick={() => actions.discard(row.id)}>
          {words.discard}
        </button>
      </div>
    ) : null}
  </li>
)

const Body = ({
  content,
  who,
  lang,
  words,
  actions,
}: Omit<Props, 'row'> & { content: Content; who: string }): JSX.Element => {
  switch (content.kind) {
    case 'text':
      return <Text body={content.body} />
    case 'image':
      return <Picture media={content.media} who={who} words={words} load={actions.loadMedia} />
    case 'voice':
      return <Voice media={content.media} words={words} load={actions.loadMedia} />
    case 'file':
      return <FileCard media={content.media} lang={lang} words={words} load={actions.loadMedia} />
    case 'opening':
      return (
        <p class="soft">
          <LockIcon /> {words.opening}
        </p>
      )
    case 'unreadable':
      return (
        <p class="soft">
          <WarnIcon />
          <span>
            <strong>{words.unreadable}</strong> {words.unreadableText}
          </span>
        </p>
      )
    case 'removed':
      return <p class="soft">{words.removed}</p>
    case 'unsupported':
      return <p class="soft">{words.unsupported}</p>
  }
}

const Text = ({ body }: { body: string }): JSX.Element => (
  <p class="text">
    {linkify(body).map((piece, index) =>
      piece.href ? (
        <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer">
          {piece.text}
        </a>
      ) : (
        piece.text
      ),
    )}
  </p>
)

const MarkIcon = ({ mark }: { mark: Mark }): JSX.Element | null => {
  if (mark === 'sending') return <WaitIcon />
  if (mark === 'read') return <DoubleCheckIcon />
  if (mark === 'failed') return <WarnIcon />
  return mark === 'sent' ? <CheckIcon /> : null
}
