"use strict";
/* What an element's title says is shown at once, beside the pointer. */
const tip = document.getElementById("tip");
for (const title of document.querySelectorAll("svg title")) {
    title.parentNode.dataset.says = title.textContent;
    title.remove();
}
document.addEventListener("mousemove", (event) => {
    const says = event.target.dataset && event.target.dataset.says;
    tip.hidden = !says;
    if (says) {
        tip.textContent = says;
        tip.style.left = Math.max(0, Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8)) + "px";
        tip.style.top = event.clientY + 16 + "px";
    }
});
