import { describe, expect, it } from "vitest";
import { readCurl } from "./curl.js";
import type { WireRequest } from "./request.js";

const FILES: Readonly<Record<string, string>> = { "body.json": '{"a":\r\n1}\n' };
const readFile = (path: string): Promise<string> =>
  FILES[path] === undefined ? Promise.reject(new Error(`no ${path}`)) : Promise.resolve(FILES[path]);
const read = async (line: string): Promise<WireRequest> => (await readCurl(line, readFile)).request;
const textOf = ({ body }: WireRequest): string | undefined =>
  body === undefined ? undefined : new TextDecoder().decode(body);
const field = ({ headers }: WireRequest, name: string): string[] =>
  headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);

describe("a pasted curl command", () => {
  it("asks as curl does by itself", async () => {
    expect(await read("curl https://api.example.com/orders?x=1#part")).toEqual({
      method: "GET",
      target: "/orders?x=1",
      headers: [
        ["Host", "api.example.com"],
        ["User-Agent", "curl"],
        ["Accept", "*/*"],
      ],
      body: undefined,
      https: true,
      ip: "192.0.2.1",
    });
    expect(await read("curl api.example.com")).toMatchObject({ https: false, target: "/" });
    expect(await read("/usr/bin/curl --url http://a:8080/x -I")).toMatchObject({
      method: "HEAD",
      https: false,
      target: "/x",
    });
  });

  it.each<[string, string, string | undefined, string | undefined]>([
    ["-d a=1 --data b=2", "POST", "a=1&b=2", "application/x-www-form-urlencoded"],
    ["-d @body.json", "POST", '{"a":1}', "application/x-www-form-urlencoded"],
    ["--data-binary @body.json", "POST", '{"a":\r\n1}\n', "application/x-www-form-urlencoded"],
    ["--data-raw @body.json", "POST", "@body.json", "application/x-www-form-urlencoded"],
    ["--json '{\"a\"' --json ':1}'", "POST", '{"a":1}', "application/json"],
    ["-X PATCH -H 'content-type: application/json' -d '{}'", "PATCH", "{}", "application/json"],
    ["-XPUT -d ''", "PUT", "", "application/x-www-form-urlencoded"],
    [
      "--data-urlencode 'q=a b&c(1)' --data-urlencode =x/y",
      "POST",
      "q=a%20b%26c%281%29&x%2Fy",
      "application/x-www-form-urlencoded",
    ],
    ["-d x -H 'Content-Type:'", "POST", "x", undefined],
  ])("%s", async (options, method, body, type) => {
    const request = await read(`curl ${options} https://a.test/`);
    expect(request.method).toBe(method);
    expect(textOf(request)).toBe(body);
    expect(field(request, "content-type")).toEqual(type === undefined ? [] : [type]);
  });

  it("puts data into the query with -G", async () => {
    expect(await read("curl -G -d a=1 -d b=2 'https://a.test/x?y=0'")).toMatchObject({
      method: "GET",
      target: "/x?y=0&a=1&b=2",
    });
  });

  it("sends headers, credentials and cookies as curl does", async () => {
    const request = await read(
      "curl https://a.test/ -H 'X-One: 1' -HX-Two:2 -H 'X-Empty;' -H 'Accept:' -H 'Host: b.test' -u 'ann:s p' -b 'a=1' -b b=2 -A me -e https://r.test --compressed",
    );
    expect(request.headers).toEqual([
      ["X-One", "1"],
      ["X-Two", "2"],
      ["X-Empty", ""],
      ["Host", "b.test"],
      ["Authorization", `Basic ${Buffer.from("ann:s p").toString("base64")}`],
      ["Cookie", "a=1; b=2"],
      ["User-Agent", "me"],
      ["Referer", "https://r.test"],
      ["Accept-Encoding", "deflate, gzip"],
    ]);
    expect(field(await read("curl https://a.test/ --oauth2-bearer t"), "authorization")).toEqual([
      "Bearer t",
    ]);
  });

  it("squashes dots in a path as curl does, unless it is told not to", async () => {
    expect(await read("curl https://a.test/a/./b/%2e%2e/c/..")).toMatchObject({ target: "/a/" });
    expect(await read("curl --path-as-is https://a.test/a/../b?c=..")).toMatchObject({
      target: "/a/../b?c=..",
    });
  });

  it("tells what it leaves aside", async () => {
    const { ignored, request } = await readCurl(
      "curl -sSkL -o out.json --max-time 5 https://a.test/x -v | jq",
      readFile,
    );
    expect(request.target).toBe("/x");
    expect(ignored).toEqual([
      "`-s`",
      "`-S`",
      "`-k`",
      "`-L`",
      "`-o`",
      "`--max-time`",
      "`-v`",
      "what stands behind `|`, where a shell ends the command",
    ]);
  });

  it.each([
    ["wget https://a.test/", "does not begin with `curl`"],
    ["curl", "has no URL"],
    ["curl https://a/ https://b/", "has several URLs"],
    ["curl https://a/ --hedaer x", "curl's `--hedaer` is not known here"],
    ["curl https://a/ -?", "curl's `-?` is not known here"],
    ["curl https://a/ -H", "curl's `-H` needs a value"],
    ["curl https://a/ -H 'no colon'", "a header is no `Name: value`"],
    ["curl https://a/ -F a=b", "curl's `-F` cannot be explained"],
    ["curl https://a/ -T file", "curl's `-T` cannot be explained"],
    ["curl https://a/ -b cookies.txt", "cookies in a file are not read"],
    ["curl https://a/ --data-urlencode name@file", "of a file is not read"],
    ["curl ftp://a/", "`ftp://a/` is no URL and no path"],
  ])("refuses %j", async (line, message) => {
    await expect(read(line)).rejects.toThrow(message);
  });
});
