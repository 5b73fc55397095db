#!/bin/sed -Ef
# Comments before a declaration, and behind one, as Doxygen reads them. The first block
# of a file is about the file.
# What Doxygen would take for a tag or a reference, but for code in backquotes.
/^[[:space:]]*\/\/ +[^ `][^`]*$/{
s/</\&lt;/g
s/#/\&#35;/g
s/::/\&#58;:/g
}
1s|^// |/// \\file\n/// |
2,$s|^([[:space:]]*)//( \|$)|\1///\2|
2,$s|([;,{})]) +// |\1 ///< |
