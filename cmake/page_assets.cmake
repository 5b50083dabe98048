# cmake -P: writes OUTPUT, a C++ file with the bytes of FOLDER's page.html, page.css and page.js.
function(embed name file)
  file(READ ${FOLDER}/${file} bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR length "${digits} / 2")
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)"
         "\\1\n" bytes "${bytes}")
  file(APPEND ${OUTPUT}
       "static const unsigned char ${name}Bytes[] = {\n${bytes}\n};\n"
       "const std::string_view ${name}(reinterpret_cast<const char*>(${name}Bytes), ${length});\n")
endfunction()

file(WRITE ${OUTPUT}
     "#include \"cli/report/page_assets.h\"\nnamespace heaprake::cli::page_assets {\n")
embed(kHtml page.html)
embed(kStyle page.css)
embed(kScript page.js)
file(APPEND ${OUTPUT} "}\n")
