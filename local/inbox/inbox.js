// Draws each accepted post with Microsoft's own renderer, and looks for new ones every two seconds.
"use strict";

const markdown = window.markdownit({ html: false, linkify: false });
const { escapeHtml } = markdown.utils;
let mentions = []; // of the card that is being drawn
AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
  result.outputHtml = mentions.reduce(
    (html, { text: at, mentioned }) =>
      html.replaceAll(escapeHtml(at), `<strong class="mention">${escapeHtml(mentioned.name)}</strong>`),
    markdown.render(text),
  );
  result.didProcess = true;
};

// The look of Teams: https://learn.microsoft.com/adaptive-cards/rendering-cards/host-config
const look = new AdaptiveCards.HostConfig({
  fontFamily: "'Segoe UI', system-ui, sans-serif",
  supportsInteractivity: true,
  spacing: { small: 4, default: 8, medium: 12, large: 16, extraLarge: 24, padding: 12 },
  separator: { lineThickness: 1, lineColor: "#e0e0e0" },
  fontSizes: { small: 12, default: 14, medium: 14, large: 18, extraLarge: 24 },
  containerStyles: {
    default: {
      backgroundColor: "#ffffff",
      foregroundColors: {
        default: { default: "#242424", subtle: "#616161" },
        accent: { default: "#5b5fc7", subtle: "#5b5fc7" },
        good: { default: "#107c41", subtle: "#107c41" },
        warning: { default: "#8a3707", subtle: "#8a3707" },
        attention: { default: "#a4262c", subtle: "#a4262c" },
      },
    },
    emphasis: { backgroundColor: "#f5f5f5" },
    attention: { backgroundColor: "#fdf3f4" },
    warning: { backgroundColor: "#fdf6f3" },
    good: { backgroundColor: "#f1faf1" },
    accent: { backgroundColor: "#e8ebfa" },
  },
  actions: {
    maxActions: 6,
    buttonSpacing: 4,
    actionsOrientation: "horizontal",
    actionAlignment: "left",
    showCard: { actionMode: "inline", inlineTopMargin: 8 },
  },
  factSet: {
    title: { weight: "bolder", maxWidth: 130, wrap: true },
    value: { wrap: true },
    spacing: 12,
  },
});

function drawCard(content) {
  const card = new AdaptiveCards.AdaptiveCard();
  card.hostConfig = look;
  card.onExecuteAction = (action) => {
    if (action instanceof AdaptiveCards.OpenUrlAction) {
      window.open(action.url, "_blank", "noopener");
    }
  };
  mentions = content.msteams?.entities ?? [];
  card.parse(content);
  const drawn = document.createElement("div");
  drawn.className = "card";
  drawn.append(card.render());
  return drawn;
}

function drawPost(post) {
  const article = document.createElement("article");
  const when = document.createElement("p");
  when.textContent = `${new Date(post.received).toLocaleString()}, ${post.size_bytes} bytes`;
  article.append(when);
  if (post.delivered) {
    article.append(...post.body.attachments.map((attachment) => drawCard(attachment.content)));
  } else {
    const lost = document.createElement("div");
    lost.className = "card lost";
    lost.textContent = "Accepted, but too large: Teams would never show it.";
    article.append(lost);
  }
  return article;
}

let shown = 0;

async function refresh() {
  const posts = await (await fetch("/local/posts")).json();
  const list = document.getElementById("posts");
  for (const post of posts.slice(shown)) {
    list.prepend(drawPost(post));
  }
  shown = posts.length;
  document.getElementById("count").textContent = shown === 1 ? "1 post" : `${shown} posts`;
  document.body.dataset.shown = String(shown);
}

refresh();
setInterval(refresh, 2000);
