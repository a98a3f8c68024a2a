# What `make kind-up` uses, each by digest; change them together, from the release notes of kind.
KIND_VERSION=v0.33.0
KIND_SHA256_linux_amd64=aee6151561422756b764a4ae28e7f44cda5af5a9eead3cc9985112b1de8d8e0d
KIND_SHA256_darwin_arm64=0c8c7dbe5e23594a198b786c4bc13dacc101fa6196b0cb0b23a1ca44e61f4b4f
NODE_IMAGE=kindest/node:v1.34.11@sha256:44e222ee2132dab25ff87301682f89eb82c7880ea3a1bf543bfe9708fd08d67d
CLUSTER=tonewright-test
# The tests upgrade the release to this tag: the same images under another name.
NEXT_TAG=test-next
