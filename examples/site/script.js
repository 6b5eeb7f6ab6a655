// Reports what has arrived, and asks the CGI program what the form would ask it.
addEventListener("load", async () => {
  const picture = document.getElementById("picture");
  const styled = getComputedStyle(document.querySelector("h1")).borderBottomWidth === "3px";
  document.getElementById("report").textContent =
    `style sheet: ${styled}, picture: ${picture.naturalWidth} x ${picture.naturalHeight}, script: true`;
  const query = new URLSearchParams(new FormData(document.forms[0]));
  const page = await (await fetch(`/cgi-bin/adder?${query}`)).text();
  document.getElementById("answer").textContent =
    "= " + new DOMParser().parseFromString(page, "text/html").getElementById("sum").textContent;
});
